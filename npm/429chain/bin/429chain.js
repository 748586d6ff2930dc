#!/usr/bin/env node
// Starts the program that came in the package of this platform, and becomes it as far as Node lets one process become
// another: the same arguments, input, output, signals and exit code.
"use strict";
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const platform = `${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "429chain.exe" : "429chain";

function find() {
  if (process.env.CHAIN429_BINARY) return process.env.CHAIN429_BINARY;
  try {
    return require.resolve(`@429chain/${platform}/bin/${file}`);
  } catch {
    const optional = Object.keys(require("../package.json").optionalDependencies);
    const known = optional.map((name) => name.split("/")[1]);
    const musl = process.platform === "linux" && !process.report?.getReport().header.glibcVersionRuntime;
    const why = musl
      ? "the packages are for glibc, and this system has none: take the archive `-musl` of a release"
      : known.includes(platform)
      ? `the package @429chain/${platform} is not installed: was npm told to leave out optional dependencies (--omit=optional)?`
      : `there is no program for ${platform}, only for ${known.join(", ")}. Build it from source instead: cargo install --path . in a clone`;
    console.error(`429chain: ${why}`);
    process.exit(1);
  }
}

const child = spawn(find(), process.argv.slice(2), { stdio: "inherit", windowsHide: true });
child.on("error", (fault) => {
  console.error(`429chain: the program cannot be started: ${fault.message}`);
  process.exit(1);
});
// A terminal sends Ctrl-C to the program as well, and a second one would cut what is in progress. A supervisor tells only us.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
  process.on(signal, () => { if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal); });
}
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
