# 429chain in a container: the program, and of a system what it needs.
#
#   docker build --tag 429chain .
#   docker run -p 127.0.0.1:3429:3429 -v 429chain-config:/config -v 429chain-data:/data 429chain
#
# For another architecture: `docker buildx build --platform linux/arm64 .` builds in emulation. To cross-compile from amd64
# to arm64 without it, give target, C compiler and the image to put the program into:
#   --build-arg TARGET=aarch64-unknown-linux-gnu --build-arg CROSS=gcc-aarch64-linux-gnu \
#   --build-arg RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot-arm64

ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
ARG TARGET=""
ARG CROSS=""
WORKDIR /src
RUN if [ -n "$TARGET" ]; then \
      rustup target add "$TARGET" \
      && apt-get update && apt-get install --yes --no-install-recommends "$CROSS" && rm -rf /var/lib/apt/lists/*; \
    fi
ENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=cc

# What others have written changes rarely: it is built before our own sources are there, and stays in a layer.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests benches/efficiency benches/log benches/overhead benches/soak \
    && echo 'fn main() {}' | tee src/main.rs tests/main.rs benches/core.rs benches/efficiency/main.rs benches/log/main.rs \
         benches/overhead/main.rs benches/soak/main.rs > /dev/null \
    && touch src/lib.rs \
    && cargo build --release --locked --bin 429chain ${TARGET:+--target $TARGET} \
    && rm -rf src tests benches

COPY . .
# The commit and its time go into `429chain --version`; the build context has no history that could tell them.
ARG COMMIT=""
ARG COMMIT_TIME=""
RUN touch src/main.rs src/lib.rs \
    && CHAIN429_COMMIT="$COMMIT" CHAIN429_COMMIT_TIME="$COMMIT_TIME" \
       cargo build --release --locked --bin 429chain ${TARGET:+--target $TARGET} \
    && mkdir -p /image/config /image/data /image/usr/bin \
    && cp "target/${TARGET:+$TARGET/}release/429chain" /image/usr/bin/429chain

FROM ${RUNTIME_IMAGE}
COPY --from=build --chown=65532:65532 /image /
# The name of the user in the base image; there is no shell to be anybody else with.
USER 65532:65532
ENV CHAIN429_HOST=0.0.0.0 \
    CHAIN429_CONFIG=/config/config.yaml \
    CHAIN429_DATA_DIR=/data
VOLUME ["/config", "/data"]
EXPOSE 3429
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/429chain", "health"]
ENTRYPOINT ["/usr/bin/429chain"]
# A file to start from is written into an empty volume, and its keys are shown once in the log.
CMD ["serve", "--create-config"]
