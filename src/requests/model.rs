//! States and rules of a request.

use crate::error::Error;

crate::text_enum! {
    /// What kind of activity is asked for.
    pub enum ActivityKind {
        /// A consultation; needs no decision notice and is counted apart.
        Consultation = "consultation", "相談";
        /// A visit.
        Visit = "visit", "訪問支援";
        /// Training or a seminar, also jointly for many bodies.
        Training = "training", "研修";
        /// A model project.
        ModelProject = "model_project", "モデル事業";
        /// A community event.
        Community = "community", "コミュニティ";
    }
}

crate::text_enum! {
    /// Where the work takes place.
    pub enum Mode {
        /// At the site.
        Onsite = "onsite", "現地";
        /// Online.
        Online = "online", "オンライン";
        /// Both.
        Hybrid = "hybrid", "併用";
    }
}

crate::text_enum! {
    /// Who began.
    pub enum Origin {
        /// A body asked.
        Requested = "requested", "申請";
        /// The prefecture opened it for many bodies (joint training, seminar).
        Offered = "offered", "主催";
    }
}

crate::text_enum! {
    /// The state that is stored; everything later is a [`Stage`].
    pub enum RequestStatus {
        /// Being written.
        Draft = "draft", "下書き";
        /// Waits for the municipality's approver.
        AwaitingApproval = "awaiting_approval", "団体内承認待ち";
        /// Waits for the coordinator.
        Submitted = "submitted", "申請済み";
        /// Sent back for correction (差戻し).
        Returned = "returned", "差戻し";
        /// Accepted; an expert is being found.
        Accepted = "accepted", "受理";
        /// Accepted but the budget or the experts do not reach.
        Waitlisted = "waitlisted", "補欠";
        /// Refused.
        Rejected = "rejected", "不採択";
        /// Taken back before the decision (取下げ).
        Withdrawn = "withdrawn", "取下げ";
        /// The dispatch is decided (派遣決定).
        Decided = "decided", "派遣決定";
        /// Cancelled after the decision (中止).
        Cancelled = "cancelled", "中止";
    }
}

crate::text_enum! {
    /// What can be done to a request.
    pub enum RequestVerb {
        /// Change the text.
        Edit = "edit", "編集";
        /// A body of a joint request agrees to take part, or no longer does.
        Consent = "consent", "共同申請への同意";
        /// Submit.
        Submit = "submit", "申請";
        /// The municipality's approver agrees.
        Approve = "approve", "承認";
        /// The municipality's approver sends it back to the staff.
        SendBack = "send-back", "担当者へ戻す";
        /// The coordinator sends it back for correction.
        ReturnForCorrection = "return-for-correction", "差戻し";
        /// The coordinator accepts.
        Accept = "accept", "受理";
        /// The coordinator puts it on the waiting list.
        Waitlist = "waitlist", "補欠とする";
        /// The coordinator refuses.
        Reject = "reject", "不採択とする";
        /// The applicant takes it back.
        Withdraw = "withdraw", "取下げ";
        /// The dispatch is decided.
        Decide = "decide", "派遣決定";
        /// The decided dispatch is cancelled.
        Cancel = "cancel", "中止";
    }
}

/// The state table. Errors, buttons and documentation follow from it. Where a verb leads to several states, the first is
/// the ordinary one: submitting leads to the municipality's own approver where that body asks for it, and straight to
/// `accepted` for what the prefecture itself opened ([`Origin::Offered`]).
pub const TRANSITIONS: &[(RequestStatus, RequestVerb, RequestStatus)] = {
    use RequestStatus as S;
    use RequestVerb as V;
    &[
        (S::Draft, V::Edit, S::Draft),
        (S::Returned, V::Edit, S::Returned),
        (S::Draft, V::Consent, S::Draft),
        (S::AwaitingApproval, V::Consent, S::AwaitingApproval),
        (S::Submitted, V::Consent, S::Submitted),
        (S::Returned, V::Consent, S::Returned),
        (S::Waitlisted, V::Consent, S::Waitlisted),
        (S::Accepted, V::Consent, S::Accepted),
        (S::Draft, V::Submit, S::Submitted),
        (S::Draft, V::Submit, S::AwaitingApproval),
        (S::Draft, V::Submit, S::Accepted),
        (S::Returned, V::Submit, S::Submitted),
        (S::Returned, V::Submit, S::AwaitingApproval),
        (S::AwaitingApproval, V::Approve, S::Submitted),
        (S::AwaitingApproval, V::SendBack, S::Draft),
        (S::Submitted, V::ReturnForCorrection, S::Returned),
        (S::Submitted, V::Accept, S::Accepted),
        (S::Waitlisted, V::Accept, S::Accepted),
        (S::Submitted, V::Waitlist, S::Waitlisted),
        (S::Accepted, V::Waitlist, S::Waitlisted),
        (S::Submitted, V::Reject, S::Rejected),
        (S::Waitlisted, V::Reject, S::Rejected),
        (S::Accepted, V::Reject, S::Rejected),
        (S::Draft, V::Withdraw, S::Withdrawn),
        (S::AwaitingApproval, V::Withdraw, S::Withdrawn),
        (S::Submitted, V::Withdraw, S::Withdrawn),
        (S::Returned, V::Withdraw, S::Withdrawn),
        (S::Waitlisted, V::Withdraw, S::Withdrawn),
        (S::Accepted, V::Withdraw, S::Withdrawn),
        (S::Accepted, V::Decide, S::Decided),
        (S::Decided, V::Cancel, S::Cancelled),
    ]
};

impl RequestStatus {
    /// Whether offers, visits and reports can have refined it.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Accepted | Self::Decided)
    }

    /// The state after a verb, or 409 with the verbs that are allowed.
    pub fn after(self, verb: RequestVerb) -> Result<Self, Error> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == verb)
            .map(|(_, _, to)| *to)
            .ok_or_else(|| Error::transition(self.as_str(), self.verbs().iter().map(|verb| verb.as_str()).collect()))
    }

    /// The verbs allowed in this state, each once.
    pub fn verbs(self) -> Vec<RequestVerb> {
        let mut verbs: Vec<RequestVerb> =
            TRANSITIONS.iter().filter(|(from, ..)| *from == self).map(|(_, verb, _)| *verb).collect();
        verbs.dedup();
        verbs
    }

    /// Whether it stands for work that was asked for and is not off: what yearly limits count.
    pub fn counts_for_limits(self) -> bool {
        Self::COUNTING.contains(&self)
    }

    /// The states that yearly limits count: filed, and neither refused nor taken back nor cancelled.
    pub const COUNTING: [Self; 5] = [Self::Submitted, Self::Returned, Self::Accepted, Self::Waitlisted, Self::Decided];
}

crate::text_enum! {
    /// Where a request stands, for people: the stored state, refined by offers, visits and reports once accepted.
    pub enum Stage {
        /// Being written.
        Draft = "draft", "下書き";
        /// Waits for the municipality's approver.
        AwaitingApproval = "awaiting_approval", "団体内承認待ち";
        /// Waits for the coordinator.
        Submitted = "submitted", "審査中";
        /// Sent back.
        Returned = "returned", "差戻し";
        /// On the waiting list.
        Waitlisted = "waitlisted", "補欠";
        /// Refused.
        Rejected = "rejected", "不採択";
        /// Taken back.
        Withdrawn = "withdrawn", "取下げ";
        /// Cancelled.
        Cancelled = "cancelled", "中止";
        /// Accepted, no offer open.
        Matching = "matching", "専門家を選定中";
        /// An offer waits for its answer.
        Offered = "offered", "専門家に依頼中";
        /// An expert has accepted; the decision is next.
        AwaitingDecision = "awaiting_decision", "決定手続中";
        /// Decided, dates still to be arranged or ahead.
        Scheduled = "scheduled", "派遣予定";
        /// Some visits done, some ahead.
        InProgress = "in_progress", "派遣中";
        /// All visits over, the report is due.
        AwaitingReport = "awaiting_report", "報告待ち";
        /// The report waits for approval.
        Reported = "reported", "報告確認中";
        /// The report is approved.
        Completed = "completed", "完了";
    }
}

/// What the stage is computed from, beside the stored state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Offers sent and not answered.
    pub open_offers: i64,
    /// Offers accepted.
    pub accepted_offers: i64,
    /// Visits still ahead (planned or held).
    pub visits_ahead: i64,
    /// Visits done or failed (no-show).
    pub visits_over: i64,
    /// The report was submitted and waits.
    pub report_submitted: bool,
    /// The report was approved.
    pub report_approved: bool,
}

/// The stage of a request.
pub fn stage(status: RequestStatus, progress: Progress) -> Stage {
    match status {
        RequestStatus::Draft => Stage::Draft,
        RequestStatus::AwaitingApproval => Stage::AwaitingApproval,
        RequestStatus::Submitted => Stage::Submitted,
        RequestStatus::Returned => Stage::Returned,
        RequestStatus::Waitlisted => Stage::Waitlisted,
        RequestStatus::Rejected => Stage::Rejected,
        RequestStatus::Withdrawn => Stage::Withdrawn,
        RequestStatus::Cancelled => Stage::Cancelled,
        RequestStatus::Accepted if progress.accepted_offers > 0 => Stage::AwaitingDecision,
        RequestStatus::Accepted if progress.open_offers > 0 => Stage::Offered,
        RequestStatus::Accepted => Stage::Matching,
        RequestStatus::Decided if progress.report_approved => Stage::Completed,
        RequestStatus::Decided if progress.report_submitted => Stage::Reported,
        RequestStatus::Decided if progress.visits_ahead == 0 => Stage::AwaitingReport,
        RequestStatus::Decided if progress.visits_over == 0 => Stage::Scheduled,
        RequestStatus::Decided => Stage::InProgress,
    }
}

crate::text_enum! {
    /// Why a request was returned, put on the waiting list, refused, withdrawn or cancelled.
    pub enum ReasonCode {
        /// Something is missing or unclear.
        Incomplete = "incomplete", "記載内容の不備";
        /// Outside what the programme is for.
        OutOfScope = "out_of_scope", "事業の対象外";
        /// No expert can be found.
        NoExpert = "no_expert", "専門家が見つからない";
        /// The budget does not reach.
        Budget = "budget", "予算の不足";
        /// Solved by a consultation.
        SolvedByConsultation = "solved_by_consultation", "相談により解決";
        /// The applicant's plans changed.
        PlansChanged = "plans_changed", "申請者の都合";
        /// The expert cannot come.
        ExpertUnavailable = "expert_unavailable", "専門家の都合";
        /// Weather, disaster and the like.
        ForceMajeure = "force_majeure", "災害等";
        /// Something else; the text says what.
        Other = "other", "その他";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_verb_is_refused_with_the_verbs_that_are_allowed() {
        let refused = RequestStatus::Rejected.after(RequestVerb::Accept).unwrap_err().failure().state.unwrap();
        assert_eq!((refused.current, refused.allowed), ("rejected", vec![]));
        let refused = RequestStatus::Submitted.after(RequestVerb::Submit).unwrap_err().failure().state.unwrap();
        assert_eq!(refused.allowed, ["consent", "return-for-correction", "accept", "waitlist", "reject", "withdraw"]);
    }

    #[test]
    fn submitting_leads_to_the_office_unless_an_approver_or_the_prefecture_itself_comes_in() {
        for from in [RequestStatus::Draft, RequestStatus::Returned] {
            assert_eq!(from.after(RequestVerb::Submit).unwrap(), RequestStatus::Submitted);
            assert_eq!(from.verbs().iter().filter(|verb| **verb == RequestVerb::Submit).count(), 1);
        }
    }

    #[test]
    fn nothing_leads_out_of_a_final_state() {
        for status in [RequestStatus::Rejected, RequestStatus::Withdrawn, RequestStatus::Cancelled] {
            assert!(status.verbs().is_empty(), "{status}");
        }
    }

    #[test]
    fn the_stage_follows_the_work_once_accepted() {
        let at = |status, progress| stage(status, progress);
        let none = Progress::default();
        assert_eq!(at(RequestStatus::Accepted, none), Stage::Matching);
        assert_eq!(at(RequestStatus::Accepted, Progress { open_offers: 1, ..none }), Stage::Offered);
        assert_eq!(at(RequestStatus::Accepted, Progress { open_offers: 1, accepted_offers: 1, ..none }), Stage::AwaitingDecision);
        assert_eq!(at(RequestStatus::Decided, Progress { visits_ahead: 2, ..none }), Stage::Scheduled);
        assert_eq!(at(RequestStatus::Decided, Progress { visits_ahead: 1, visits_over: 1, ..none }), Stage::InProgress);
        assert_eq!(at(RequestStatus::Decided, Progress { visits_over: 2, ..none }), Stage::AwaitingReport);
        assert_eq!(at(RequestStatus::Decided, Progress { visits_over: 2, report_submitted: true, ..none }), Stage::Reported);
        assert_eq!(at(RequestStatus::Decided, Progress { visits_over: 2, report_approved: true, ..none }), Stage::Completed);
        assert_eq!(at(RequestStatus::Waitlisted, Progress { open_offers: 3, ..none }), Stage::Waitlisted);
    }
}
