//! Where addresses lead to: into the world, to the user's own machines, or to places that nobody asks for models.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Anywhere.
    Public,
    /// This machine, or the network that it is in: where local models live.
    Private,
    /// Link-local, or the metadata service of a cloud, which gives its credentials to whoever can ask. No model is there.
    Forbidden,
}

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Whether private ones may.
    pub private: bool,
}

impl Fence {
    /// Whether an address may be called.
    ///
    /// # Errors
    /// Why not, for people.
    pub fn check(self, reach: Reach) -> Result<(), &'static str> {
        match reach {
            Reach::Forbidden => Err("is link-local or that of a cloud's metadata service, which is never called"),
            Reach::Private if !self.private => Err("is private, and settings.allowPrivateUrls is false"),
            Reach::Public | Reach::Private => Ok(()),
        }
    }
}

impl Reach {
    /// Of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// Of a host as it stands in a URL, as far as its name tells; `None` for a name that has to be resolved.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        if let Ok(address) = host.parse() {
            return Some(Self::of(address));
        }
        const METADATA: [&str; 4] =
            ["metadata", "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"];
        match host.as_str() {
            name if METADATA.contains(&name) => Some(Self::Forbidden),
            "localhost" => Some(Self::Private),
            name if name.ends_with(".localhost") => Some(Self::Private),
            _ => None,
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    /// Alibaba Cloud's metadata service, and that of Oracle's older machines.
    const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    let [first, second, ..] = address.octets();
    // 100.64.0.0/10: what providers of access, and private overlay networks, use inside.
    let shared = first == 100 && (64..128).contains(&second);
    match () {
        () if address.is_link_local() || METADATA.contains(&address) => Reach::Forbidden,
        () if address.is_loopback() || address.is_private() || address.is_unspecified() || shared => Reach::Private,
        () => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    /// Of AWS.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    if let Some(inner) = inner(address) {
        return of_v4(inner);
    }
    match () {
        () if address.is_unicast_link_local() || address == METADATA => Reach::Forbidden,
        () if address.is_loopback() || address.is_unique_local() || address.is_unspecified() => Reach::Private,
        () => Reach::Public,
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, or by way of NAT64 (64:ff9b::/96).
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const NAT64: u128 = 0x64_ff9b << 64;
    let bits = address.to_bits();
    let translated = bits >> 32 == NAT64;
    address.to_ipv4_mapped().or_else(|| translated.then(|| Ipv4Addr::from_bits(bits as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_give_credentials_away_are_never_called() {
        for host in [
            "169.254.169.254",
            "169.254.0.1",
            "[fe80::1]",
            "[febf::1]",
            "[fd00:ec2::254]",
            "100.100.100.200",
            "192.0.0.192",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "metadata.google.internal",
            "Metadata.Google.Internal.",
        ] {
            let reach = Reach::of_host(host).unwrap();
            assert_eq!(reach, Reach::Forbidden, "{host}");
            assert!(Fence { private: true }.check(reach).is_err(), "{host}");
        }
    }

    #[test]
    fn local_models_live_in_private_places() {
        for host in [
            "127.0.0.1",
            "localhost",
            "gpu.localhost",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "[::1]",
            "[fd12::1]",
            "[::ffff:10.0.0.1]",
        ] {
            let reach = Reach::of_host(host).unwrap();
            assert_eq!(reach, Reach::Private, "{host}");
            assert!(Fence { private: true }.check(reach).is_ok() && Fence { private: false }.check(reach).is_err());
        }
    }

    #[test]
    fn everything_else_is_the_world() {
        for host in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "[fec0::1]", "[::ffff:8.8.8.8]"] {
            let reach = Reach::of_host(host).unwrap();
            assert_eq!(reach, Reach::Public, "{host}");
            assert!(Fence { private: false }.check(reach).is_ok());
        }
        for name in ["api.groq.com", "metadata.example.com", "host.docker.internal", "2852039166"] {
            assert_eq!(Reach::of_host(name), None, "{name}");
        }
    }
}
