//! The zoo of addresses, and the same addresses again inside every IPv6 form that carries them.

use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn every_refused_range_is_known_at_both_ends() {
    for (address, code) in [
        ("0.0.0.0", "unspecified"),
        ("0.255.255.255", "unspecified"),
        ("10.0.0.0", "private"),
        ("10.255.255.255", "private"),
        ("100.64.0.0", "shared_nat"),
        ("100.127.255.255", "shared_nat"),
        ("100.100.100.200", "metadata"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "metadata"),
        ("169.254.0.1", "link_local"),
        ("169.254.169.254", "link_local"),
        ("169.254.170.2", "link_local"),
        ("172.16.0.0", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.8", "protocol"),
        ("192.0.0.192", "metadata"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "protocol"),
        ("192.168.0.0", "private"),
        ("192.168.255.255", "private"),
        ("198.18.0.0", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.254", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::2", "reserved"),
        ("::7f00:1", "reserved"),
        ("::8.8.8.8", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:a9fe:a9fe", "link_local"),
        ("::ffff:0:127.0.0.1", "reserved"),
        ("64:ff9b::127.0.0.1", "embedded"),
        ("64:ff9b::a9fe:a9fe", "embedded"),
        ("64:ff9b:1::8.8.8.8", "reserved"),
        ("100::1", "reserved"),
        ("2001::1", "tunnel"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "tunnel"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "protocol"),
        ("2001:20::1", "protocol"),
        ("2001:1ff:ffff::1", "protocol"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2002:7f00:1::", "embedded"),
        ("2002:a00:1::1", "embedded"),
        ("2002:a9fe:a9fe::1", "embedded"),
        ("2400:cb00::5efe:10.0.0.1", "embedded"),
        ("2400:cb00::200:5efe:192.168.0.1", "embedded"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        ("fc00::1", "unique_local"),
        ("fdff:ffff::1", "unique_local"),
        ("fd00:ec2::254", "metadata"),
        ("fd20:ce::254", "metadata"),
        ("fe80::1", "link_local"),
        ("fe80::a9fe:a9fe", "link_local"),
        ("febf::1", "link_local"),
        ("fec0::1", "reserved"),
        ("ff02::1", "multicast"),
    ] {
        assert_eq!(forbidden(ip(address)).map(Range::code), Some(code), "{address}");
    }
}

#[test]
fn the_public_internet_is_open() {
    for address in [
        "1.0.0.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2400:cb00::1",
        "2606:4700::1111",
    ] {
        assert_eq!(forbidden(ip(address)), None, "{address}");
    }
}

#[test]
fn an_allow_list_opens_what_it_names_and_nothing_else() {
    let allow = AllowList::parse(&["10.20.0.0/16", "127.0.0.1", "fd12:3456::/32", "169.254.10.0/24"]).unwrap();
    for address in ["10.20.0.1", "10.20.255.255", "::ffff:10.20.0.1", "127.0.0.1", "fd12:3456::9", "169.254.10.3", "8.8.8.8"] {
        assert_eq!(allow.refuses(ip(address)), None, "{address}");
    }
    for address in
        ["10.21.0.1", "127.0.0.2", "::1", "fd12:3457::9", "169.254.169.254", "64:ff9b::10.20.0.1", "2002:a14:1::1", "0.0.0.0"]
    {
        assert!(allow.refuses(ip(address)).is_some(), "{address}");
    }
    assert!(!allow.contains(ip("8.8.8.8")), "what is public is open, but not listed");
    assert!(AllowList::default().is_empty());
    let wide = AllowList::parse(&["255.0.0.0/8"]).unwrap();
    assert_eq!(wide.refuses(ip("255.0.0.1")), None);
    assert_eq!(wide.refuses(ip("255.255.255.255")), Some(Range::Broadcast), "no receiver lives there, whatever the list says");
}

#[test]
fn a_slip_in_the_allow_list_is_refused() {
    for (entry, part) in [
        ("", "must be an address"),
        ("intranet", "must be an address"),
        ("10.0.0.0/33", "must be an address"),
        ("10.0.0/8", "must be an address"),
        ("10.1.2.3/8", "bits set"),
        ("fd12::1/32", "bits set"),
        ("0.0.0.0/0", "wider"),
        ("8.0.0.0/7", "wider"),
        ("::/0", "wider"),
        ("0.0.0.0/8", "no receiver"),
        ("0.0.0.0", "no receiver"),
        ("::", "no receiver"),
        ("224.0.0.0/8", "no receiver"),
        ("255.255.255.255", "no receiver"),
        ("ff02::/16", "no receiver"),
    ] {
        let problem = AllowList::parse(&[entry]).unwrap_err();
        assert!(problem.to_string().contains(part), "{entry}: {problem}");
    }
}

/// Every IPv6 address that carries an IPv4 address and that something on the way may take apart.
fn carriers(inner: Ipv4Addr) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = inner.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    vec![
        inner.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
        Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0, 0, !high, !low),
        Ipv6Addr::new(0x2400, 0xcb00, 0, 0, 0, 0x5efe, high, low),
        Ipv6Addr::new(0x2400, 0xcb00, 0, 0, 0x200, 0x5efe, high, low),
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x5efe, high, low),
    ]
}

proptest! {
    #[test]
    fn no_form_of_ipv6_smuggles_a_refused_ipv4_address(net in proptest::sample::select(V4), bits in any::<u32>()) {
        let host = bits & u32::from(net.0.hostmask());
        let inner = Ipv4Addr::from(u32::from(net.0.network()) | host);
        prop_assert!(forbidden(IpAddr::V4(inner)).is_some());
        for carrier in carriers(inner) {
            prop_assert!(forbidden(IpAddr::V6(carrier)).is_some(), "{carrier} carries {inner}");
        }
    }

    #[test]
    fn what_is_refused_agrees_with_the_standard_library(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let by_std = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_broadcast()
            || address.is_documentation() || address.is_multicast() || address.is_unspecified();
        prop_assert!(!by_std || forbidden(IpAddr::V4(address)).is_some(), "{address}");
    }

    #[test]
    fn outside_global_unicast_only_nat64_and_mapped_addresses_are_open(bits in any::<u128>()) {
        let address = Ipv6Addr::from(bits);
        if forbidden(IpAddr::V6(address)).is_none() {
            prop_assert!(GLOBAL_UNICAST.contains(&address) || NAT64.contains(&address) || address.to_ipv4_mapped().is_some());
        }
    }

    #[test]
    fn reading_an_allow_list_never_panics(entry in "\\PC{0,40}") {
        let _ = AllowList::parse(&[entry]);
    }
}
