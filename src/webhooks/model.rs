//! What an endpoint and a delivery can be.

use std::collections::BTreeSet;

use crate::notifications::catalogue::{EventKind, Reach};

/// Most endpoints of an organisation.
pub const MOST_ENDPOINTS: i64 = 20;
/// Hours for which the secret before still signs after a new one was made.
pub const OVERLAP_HOURS: i64 = 24;

crate::text_enum! {
    /// Whether an endpoint is told.
    pub enum EndpointStatus {
        /// It is.
        Active = "active", "有効";
        /// It is not.
        Disabled = "disabled", "停止中";
    }
}

crate::text_enum! {
    /// Why an endpoint is not told.
    pub enum DisabledReason {
        /// It answered 410: it wants nothing more.
        Gone = "gone", "受信側が停止を求めた（410）";
        /// It has done nothing but fail for five days.
        Failing = "failing", "5日間失敗が続いた";
        /// Somebody switched it off.
        ByHand = "by_hand", "手動で停止";
    }
}

crate::text_enum! {
    /// Where a delivery stands.
    pub enum DeliveryStatus {
        /// Waits for its next attempt.
        Queued = "queued", "送信待ち";
        /// Being attempted.
        Sending = "sending", "送信中";
        /// The receiver has it.
        Delivered = "delivered", "受領済み";
        /// Given up; can be replayed.
        Failed = "failed", "断念";
    }
}

/// Which events an endpoint wants; none named: all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter(BTreeSet<EventKind>);

impl EventFilter {
    /// The filter of these events.
    pub fn new(kinds: impl IntoIterator<Item = EventKind>) -> Self {
        Self(kinds.into_iter().collect())
    }

    /// Reads the stored form. A name that this release does not know any more wants nothing.
    pub fn parse(text: &str) -> Self {
        Self(text.split(',').filter_map(|name| name.parse().ok()).collect())
    }

    /// The form in which it is stored.
    pub fn stored(&self) -> String {
        self.0.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")
    }

    /// Whether an event is wanted.
    pub fn wants(&self, kind: EventKind) -> bool {
        kind.reach() != Reach::Personal && (self.0.is_empty() || self.0.contains(&kind) || kind == EventKind::WebhookTest)
    }

    /// The events named.
    pub fn kinds(&self) -> Vec<EventKind> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_wants_what_it_names_and_the_test() {
        let filter = EventFilter::new([EventKind::OfferSent, EventKind::DispatchDecided]);
        assert_eq!(EventFilter::parse(&filter.stored()), filter);
        assert!(filter.wants(EventKind::OfferSent) && !filter.wants(EventKind::OfferAccepted));
        assert!(filter.wants(EventKind::WebhookTest));
        assert!(EventFilter::default().wants(EventKind::OfferAccepted));
        assert!(!EventFilter::default().wants(EventKind::AccountInvited), "what is personal is nobody else's");
    }
}
