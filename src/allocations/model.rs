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
        /// Called off before there was a plan.
        Cancelled = "cancelled", "取消";
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
        /// Those who could take it could not even in an empty plan: time already held, hours, days or the budget.
        Impossible = "impossible", "対応できる専門家の予定・稼働枠・予算に収まりません";
        /// The budget is used up by others.
        Budget = "budget", "予算の残りが他の申請に充てられています";
        /// At the time asked for, those who could are with others.
        Window = "window", "希望日時に対応できる専門家は他の申請に充てられています";
        /// Hours, days, times or money that several requests share are used up.
        Limited = "limited", "時間・日程・予算の上限に達しています";
    }
}
