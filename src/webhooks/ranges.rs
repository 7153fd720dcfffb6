//! Which addresses no webhook may be sent to, and which of them the operator allows all the same.
//!
//! A person of any organisation may type an address that this server then calls from inside the operator's network.
//! So everything is refused that is not plainly the public internet: IANA's special-purpose registries
//! (RFC 6890 and its updates), the metadata services of the clouds, and every form in which IPv6 carries an IPv4 address.
//! Source of the threat: OWASP API7:2023, Standard Webhooks "Server side request forgery".

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// "This host on this network" (`0.0.0.0/8`, `::`): Linux connects it to the machine itself.
    Unspecified,
    /// The machine itself (`127.0.0.0/8`, `::1`).
    Loopback,
    /// Networks of an organisation (RFC 1918).
    Private,
    /// Addresses that a provider shares out behind its NAT (RFC 6598).
    SharedNat,
    /// The link (RFC 3927, RFC 4291), where the clouds also keep most of their metadata services.
    LinkLocal,
    /// Networks of an organisation in IPv6 (RFC 4193).
    UniqueLocal,
    /// A cloud's metadata service outside the link-local range.
    Metadata,
    /// Many receivers at once.
    Multicast,
    /// Everybody on the link.
    Broadcast,
    /// Examples in documents (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// Measuring of devices (RFC 2544, RFC 5180).
    Benchmarking,
    /// Assigned to protocols, not to hosts (`192.0.0.0/24`, `2001::/23` without Teredo, `192.88.99.0/24`).
    Protocol,
    /// A tunnel whose far end is anybody's guess (Teredo).
    Tunnel,
    /// An IPv6 address that carries a refused IPv4 address (NAT64, 6to4, ISATAP).
    Embedded,
    /// Not given out, or not for hosts on the internet.
    Reserved,
}

impl Range {
    /// The stable name that the delivery log and problem documents use.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::SharedNat => "shared_nat",
            Self::LinkLocal => "link_local",
            Self::UniqueLocal => "unique_local",
            Self::Metadata => "metadata",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Documentation => "documentation",
            Self::Benchmarking => "benchmarking",
            Self::Protocol => "protocol",
            Self::Tunnel => "tunnel",
            Self::Embedded => "embedded",
            Self::Reserved => "reserved",
        }
    }

    /// Whether not even an allow-list can open it: no receiver ever lives there.
    fn is_final(self) -> bool {
        matches!(self, Self::Unspecified | Self::Multicast | Self::Broadcast)
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(segments: [u16; 8], length: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length)
}

/// The first row that holds an address names it, so the narrower rows stand first.
const V4: &[(Ipv4Net, Range)] = &[
    // Azure's platform channel: an address that looks public and answers only inside.
    (v4(168, 63, 129, 16, 32), Range::Metadata),
    // Alibaba Cloud and Oracle Cloud.
    (v4(100, 100, 100, 200, 32), Range::Metadata),
    (v4(192, 0, 0, 192, 32), Range::Metadata),
    (v4(255, 255, 255, 255, 32), Range::Broadcast),
    (v4(0, 0, 0, 0, 8), Range::Unspecified),
    (v4(10, 0, 0, 0, 8), Range::Private),
    (v4(100, 64, 0, 0, 10), Range::SharedNat),
    (v4(127, 0, 0, 0, 8), Range::Loopback),
    (v4(169, 254, 0, 0, 16), Range::LinkLocal),
    (v4(172, 16, 0, 0, 12), Range::Private),
    (v4(192, 0, 0, 0, 24), Range::Protocol),
    (v4(192, 0, 2, 0, 24), Range::Documentation),
    (v4(192, 88, 99, 0, 24), Range::Protocol),
    (v4(192, 168, 0, 0, 16), Range::Private),
    (v4(198, 18, 0, 0, 15), Range::Benchmarking),
    (v4(198, 51, 100, 0, 24), Range::Documentation),
    (v4(203, 0, 113, 0, 24), Range::Documentation),
    (v4(224, 0, 0, 0, 4), Range::Multicast),
    (v4(240, 0, 0, 0, 4), Range::Reserved),
];

const V6: &[(Ipv6Net, Range)] = &[
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Range::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Range::Loopback),
    // AWS, Google and Scaleway.
    (v6([0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254], 128), Range::Metadata),
    (v6([0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254], 128), Range::Metadata),
    (v6([0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x0042], 128), Range::Metadata),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Range::LinkLocal),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Range::UniqueLocal),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Range::Multicast),
    (v6([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0], 32), Range::Documentation),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Range::Documentation),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), Range::Tunnel),
    (v6([0x2001, 0x0002, 0, 0, 0, 0, 0, 0], 48), Range::Benchmarking),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Range::Protocol),
];

/// What IANA gives out to hosts on the internet; everything else in IPv6 is closed.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// The well-known prefix of NAT64. RFC 6052, section 3.1, forbids private addresses in it, but translators need not care.
const NAT64: Ipv6Net = v6([0x0064, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
/// 6to4 (RFC 3056).
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);

/// Which refused range an address lies in; `None`: it is on the public internet.
pub fn forbidden(address: IpAddr) -> Option<Range> {
    // The kernel dials `::ffff:a.b.c.d` as `a.b.c.d`.
    match address.to_canonical() {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<Range> {
    V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, range)| *range)
}

fn forbidden_v6(address: Ipv6Addr) -> Option<Range> {
    if let Some((_, range)) = V6.iter().find(|(net, _)| net.contains(&address)) {
        return Some(*range);
    }
    let [_, b, c, _, e, f, g, h] = address.segments();
    if NAT64.contains(&address) {
        return forbidden_v4(joined(g, h)).map(|_| Range::Embedded);
    }
    if !GLOBAL_UNICAST.contains(&address) {
        return Some(Range::Reserved);
    }
    let carried = if SIX_TO_FOUR.contains(&address) {
        Some(joined(b, c))
    } else if f == 0x5efe && (e == 0 || e == 0x0200) {
        // ISATAP (RFC 5214): the interface half names an IPv4 host of the site behind the prefix.
        Some(joined(g, h))
    } else {
        None
    };
    carried.and_then(forbidden_v4).map(|_| Range::Embedded)
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

/// What is wrong with an entry of the allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowListProblem {
    /// The entry as the operator wrote it.
    pub entry: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for AllowListProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.entry, self.reason)
    }
}

impl std::error::Error for AllowListProblem {}

/// Shortest prefix an entry may have: with a shorter one the operator would switch the protection off by a slip.
const SHORTEST_V4: u8 = 8;
/// The same for IPv6: all of the unique local addresses are the most.
const SHORTEST_V6: u8 = 7;

/// Networks the operator opens although they are refused to the rest of the world, for receivers inside LGWAN or
/// in the operator's own network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<IpNet>);

impl AllowList {
    /// Reads entries such as `10.20.0.0/16`, `fd12:3456::/32` or a single address.
    ///
    /// # Errors
    /// The first entry that is no network, has bits set behind its prefix (`10.1.2.3/8`), is wider than `/8` (IPv4) or
    /// `/7` (IPv6), or lies where no receiver can live (unspecified, multicast, broadcast).
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, AllowListProblem> {
        entries.iter().map(|entry| parse_entry(entry.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an entry holds the address. An IPv4 entry also holds the address's IPv4-mapped form, which is the same
    /// to the kernel, but none of the forms that lead through somebody's translator or tunnel.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Why the address may not be dialled; `None`: it may.
    pub fn refuses(&self, address: IpAddr) -> Option<Range> {
        forbidden(address).filter(|range| range.is_final() || !self.contains(address))
    }
}

fn parse_entry(entry: &str) -> Result<IpNet, AllowListProblem> {
    let problem = |reason| AllowListProblem { entry: entry.to_owned(), reason };
    let net = match entry.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => entry.parse::<IpNet>().map_err(|_| problem("must be an address or a network such as 10.20.0.0/16"))?,
    };
    if net != net.trunc() {
        return Err(problem("has bits set behind its prefix: write the network's first address"));
    }
    let shortest = if matches!(net, IpNet::V4(_)) { SHORTEST_V4 } else { SHORTEST_V6 };
    if net.prefix_len() < shortest {
        return Err(problem("is wider than any one network (IPv4 /8, IPv6 /7)"));
    }
    if forbidden(net.addr()).is_some_and(Range::is_final) {
        return Err(problem("no receiver can live there"));
    }
    Ok(net)
}

#[cfg(test)]
#[path = "ranges_tests.rs"]
mod tests;
