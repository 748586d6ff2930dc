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
        if let Some(address) = host.parse().ok().or_else(|| numeric(&host).map(IpAddr::V4)) {
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

/// An IPv4 address in the ways that systems read it besides the usual one: numbers in octal (`0177.0.0.1`) or in hex
/// (`0x7f.0.0.1`), and what is missing in the last of them (`127.1`, `2130706433`).
fn numeric(host: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| {
        let (digits, radix) = match (part.strip_prefix("0x"), part.strip_prefix('0')) {
            (Some(digits), _) => (digits, 16),
            (None, Some(digits)) if !digits.is_empty() => (digits, 8),
            (None, _) => (part, 10),
        };
        // `+1` is no number here.
        u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))
    };
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    let is_address = first.len() < 4 && first.iter().all(|part| *part < 256) && *last < 1 << (32 - 8 * first.len());
    let bits = first.iter().zip([24, 16, 8]).fold(*last, |bits, (part, place)| bits | part << place);
    is_address.then(|| u32::try_from(bits).ok().map(Ipv4Addr::from_bits))?
}

fn of_v4(address: Ipv4Addr) -> Reach {
    /// Of Alibaba Cloud, of Oracle's older machines, and of Azure (what its agents ask).
    const METADATA: [Ipv4Addr; 3] =
        [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16)];
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
    /// Of Google Cloud, Oracle and Scaleway.
    const METADATA: [Ipv6Addr; 3] = [
        Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
        Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
        Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
    ];
    // fd00:ec2::/32: all of AWS's services for its own machines, of metadata, of credentials for containers.
    let is_of_aws = address.to_bits() >> 96 == 0xfd00_0ec2;
    if local_nat64(address).any(|inner| of_v4(inner) == Reach::Forbidden) {
        return Reach::Forbidden;
    }
    if let Some(inner) = inner(address) {
        return of_v4(inner);
    }
    match () {
        () if address.is_unicast_link_local() || is_of_aws || METADATA.contains(&address) => Reach::Forbidden,
        () if address.is_loopback() || address.is_unique_local() || address.is_unspecified() => Reach::Private,
        () => Reach::Public,
    }
}

/// 64:ff9b:1::/48, which every network may translate as it likes (RFC 8215).
const LOCAL_NAT64: u128 = 0x64_ff9b_0001;

/// The IPv4 address that an IPv6 one stands for: mapped, by way of NAT64 (64:ff9b::/96, RFC 6052) or 6to4 (2002::/16), or
/// as was done in the beginning (::/96).
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    const NAT64: u128 = 0x64_ff9b << 64;
    let bits = address.to_bits();
    let is_compatible = bits >> 32 == 0 && bits > 1;
    match () {
        () if bits >> 32 == NAT64 || bits >> 80 == LOCAL_NAT64 || is_compatible => {
            Some(Ipv4Addr::from_bits(bits as u32))
        }
        () if bits >> 112 == 0x2002 => Some(Ipv4Addr::from_bits((bits >> 80) as u32)),
        () => address.to_ipv4_mapped(),
    }
}

/// All IPv4 addresses that one of [`LOCAL_NAT64`] may stand for: nobody outside knows how long the prefix is there. Where
/// it is shorter than 96 bits, bits 64 to 71 are left out (RFC 6052).
fn local_nat64(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let bits = address.to_bits();
    let low = bits & ((1 << 56) - 1);
    let without_gap = bits >> 64 << 56 | low;
    let prefixes = if bits >> 80 == LOCAL_NAT64 { [48, 56, 64].as_slice() } else { &[] };
    prefixes.iter().map(move |prefix| Ipv4Addr::from_bits((without_gap >> (88 - prefix)) as u32))
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
            "168.63.129.16",
            "[fd20:ce::254]",
            "[fd00:c1::a9fe:a9fe]",
            "[fd00:ec2::23]",
            "[fd00:ec2:1::23]",
            "[fd00:42::42]",
            "[64:ff9b:1::a9fe:a9fe]",
            "[64:ff9b:1:a9fe:a9:fe00::]",
            "[64:ff9b:1:a9:fe:a9fe::]",
            "[64:ff9b:1:0:a9:fea9:fe00:0]",
            "[2002:a9fe:a9fe::1]",
            "[::a9fe:a9fe]",
            "0251.0376.0251.0376",
            "2852039166",
            "0xA9FEA9FE",
            "0xa9.254.43518",
            "169.16689662.",
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
            "[2002:a00:1::]",
            "[64:ff9b:1::10.0.0.1]",
            "[::10.0.0.1]",
            "[fd00:ec3::23]",
            "0177.0.0.1",
            "127.1",
            "0",
        ] {
            let reach = Reach::of_host(host).unwrap();
            assert_eq!(reach, Reach::Private, "{host}");
            assert!(Fence { private: true }.check(reach).is_ok() && Fence { private: false }.check(reach).is_err());
        }
    }

    #[test]
    fn everything_else_is_the_world() {
        for host in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1111]",
            "[fec0::1]",
            "[::ffff:8.8.8.8]",
            "[2002:808:808::]",
            "[64:ff9b:1::8.8.8.8]",
            "134744072",
        ] {
            let reach = Reach::of_host(host).unwrap();
            assert_eq!(reach, Reach::Public, "{host}");
            assert!(Fence { private: false }.check(reach).is_ok());
        }
        for name in [
            "api.groq.com",
            "metadata.example.com",
            "host.docker.internal",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.65536",
            "4294967296",
            "08.1.1.1",
            "0x",
            "+1.1",
            "1..1",
            "",
        ] {
            assert_eq!(Reach::of_host(name), None, "{name}");
        }
    }
}
