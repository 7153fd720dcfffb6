//! States of a run, and why a request stays unserved.

crate::text_enum! {
    /// Where a run stands.
    pub enum AllocationStatus {
        /// Waits for the background worker.
        Queued = "queued", "計算待ち";
        /// There is a plan.
        Planned = "planned", "計画済み";
        /// No plan could be made.
        Failed = "failed", "計算不能";
        /// Offers were made from it.
        Applied = "applied", "適用済み";
    }
}

crate::text_enum! {
    /// Why a request is not served by a plan.
    pub enum UnservedReason {
        /// No expert may take it; the reasons say which conditions they fail.
        NoEligibleExpert = "no_eligible_expert", "対応できる専門家がいません";
        /// Those who could were closed by hand.
        Forbidden = "forbidden", "対応できる専門家が除外されています";
        /// Those who could are taken by others, who would have to give way.
        CapacityTaken = "capacity_taken", "対応できる専門家は他の申請に充てられています";
        /// Those who could have no places at all.
        NoPlaces = "no_places", "対応できる専門家の受入枠がありません";
        /// A limit of minutes, a calendar or a budget binds.
        Limited = "limited", "時間・日程・予算の上限に達しています";
    }
}
