//! Who may do what: one table of permissions, each a type that handlers name in their signature.

crate::text_enum! {
    /// What a person does in an organisation.
    pub enum Role {
        /// Runs the installation: organisations, people, API clients.
        SystemAdmin = "system_admin", "システム管理者";
        /// Runs pools and programmes for the body that owns them (prefecture or council).
        PrefecturalCoordinator = "prefectural_coordinator", "都道府県コーディネーター";
        /// Files requests and reports for a municipality or another applicant.
        MunicipalStaff = "municipal_staff", "市町村担当者";
        /// Approves what the staff submits; can do all that staff can.
        MunicipalApprover = "municipal_approver", "市町村承認者";
        /// A shared expert.
        Expert = "expert", "専門家";
        /// Reads everything of an organisation, changes nothing.
        Auditor = "auditor", "監査担当者";
        /// A program; it acts with the rights of another role, cut down to its scopes.
        ApiClient = "api_client", "APIクライアント";
    }
}

/// A permission as a type. [`crate::http::Read`] and [`crate::http::Write`] take one as parameter.
pub trait Permission: Send + Sync + 'static {
    /// The row of the table.
    const INFO: PermissionInfo;
}

/// One row of the permission table.
#[derive(Debug, Clone, Copy)]
pub struct PermissionInfo {
    /// Stable name; the API document carries it as `x-permission`.
    pub name: &'static str,
    /// The scope an API client needs; empty: no client may.
    pub scope: &'static str,
    /// The roles that have it.
    pub roles: &'static [Role],
}

impl PermissionInfo {
    /// Whether a role has the permission.
    pub fn allows(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $scope:literal, [$($role:ident),*];)*) => {
        $($(#[$doc])* #[derive(Debug)] pub struct $name;
        impl Permission for $name {
            const INFO: PermissionInfo = PermissionInfo { name: $text, scope: $scope, roles: &[$(Role::$role),*] };
        })*

        /// The whole table.
        pub const ALL: &[PermissionInfo] = &[$($name::INFO),*];
    };
}

permissions! {
    /// See and change one's own account, sessions and active membership.
    OwnAccount = "own_account", "account:read", [SystemAdmin, PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// See organisations (public facts).
    ReadOrganisations = "read_organisations", "organisations:read", [SystemAdmin, PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Create organisations that have no code of their own (schools, NPOs, councils) and change contact data.
    ManageOrganisations = "manage_organisations", "organisations:write", [SystemAdmin, PrefecturalCoordinator];
    /// See the people of an organisation.
    ReadUsers = "read_users", "users:read", [SystemAdmin, PrefecturalCoordinator, MunicipalApprover, Auditor];
    /// Invite people, give and end memberships, disable accounts.
    ManageUsers = "manage_users", "", [SystemAdmin, PrefecturalCoordinator];
    /// Create, see and revoke API clients.
    ManageApiClients = "manage_api_clients", "", [SystemAdmin, PrefecturalCoordinator];
    /// See pools, programmes, their rules and members.
    ReadPools = "read_pools", "pools:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Create and change pools, members, programmes and yearly rules.
    ManagePools = "manage_pools", "pools:write", [PrefecturalCoordinator];
    /// See skill frameworks.
    ReadSkills = "read_skills", "experts:read", [SystemAdmin, PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Load a skill framework in a new edition.
    ManageSkills = "manage_skills", "experts:write", [PrefecturalCoordinator];
    /// See experts of the pools one belongs to.
    ReadExperts = "read_experts", "experts:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Register experts and change their registration.
    ManageExperts = "manage_experts", "experts:write", [PrefecturalCoordinator];
    /// Change an expert's availability: the expert's own, or by the office.
    ManageAvailability = "manage_availability", "experts:write", [PrefecturalCoordinator, Expert];
    /// See an expert's load.
    ReadWorkload = "read_workload", "statistics:read", [PrefecturalCoordinator, Expert, Auditor];
    /// See requests, their messages and attachments.
    ReadRequests = "read_requests", "requests:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Write, submit, withdraw and copy requests.
    FileRequests = "file_requests", "requests:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// Approve or send back what the own staff submitted.
    ApproveRequests = "approve_requests", "", [MunicipalApprover];
    /// Agree to take part in a joint request.
    ConsentRequests = "consent_requests", "requests:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// Accept, waitlist, return, reject requests and cancel decided ones.
    ReviewRequests = "review_requests", "requests:review", [PrefecturalCoordinator];
    /// Write to the thread of a request.
    WriteMessages = "write_messages", "requests:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// See candidates and make offers.
    MatchExperts = "match_experts", "offers:write", [PrefecturalCoordinator];
    /// See offers.
    ReadOffers = "read_offers", "offers:read", [PrefecturalCoordinator, Expert, Auditor];
    /// Answer an offer: the expert, or the office on the expert's word.
    AnswerOffers = "answer_offers", "offers:write", [PrefecturalCoordinator, Expert];
    /// Decide a dispatch, amend it, replace the expert, cancel.
    DecideDispatches = "decide_dispatches", "dispatches:write", [PrefecturalCoordinator];
    /// See dispatches, visits, reports and their costs.
    ReadDispatches = "read_dispatches", "dispatches:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Record what happened at a visit, arrange its date.
    RecordVisits = "record_visits", "dispatches:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// Write and submit reports.
    WriteReports = "write_reports", "reports:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// Approve or return reports.
    ReviewReports = "review_reports", "reports:review", [PrefecturalCoordinator];
    /// Evaluate an expert after the work.
    WriteEvaluations = "write_evaluations", "reports:write", [MunicipalStaff, MunicipalApprover];
    /// See evaluations: the pool owner only.
    ReadEvaluations = "read_evaluations", "reports:review", [PrefecturalCoordinator, Auditor];
    /// Place people with hosts for longer.
    ManagePostings = "manage_postings", "dispatches:write", [PrefecturalCoordinator];
    /// See costs and shares.
    ReadCosts = "read_costs", "costs:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Auditor];
    /// See issued documents: those of the own organisation, an expert those about own payments.
    ReadDocuments = "read_documents", "costs:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// See how experts are paid, as the owner's office or the expert.
    ReadExpertPayments = "read_expert_payments", "costs:read", [PrefecturalCoordinator, Expert, Auditor];
    /// See what a programme's year has bound of its money.
    ReadBudgets = "read_budgets", "costs:read", [PrefecturalCoordinator, Auditor];
    /// Propose how the bodies of a joint request share its cost, and agree to it.
    AgreeOnShares = "agree_on_shares", "requests:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// Ask what a hypothetical request would cost whom.
    SimulateCosts = "simulate_costs", "costs:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// Order service menus, note their contract and completion.
    OrderMenus = "order_menus", "costs:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// Enter costs, settle them, record payments, close periods.
    ManageCosts = "manage_costs", "costs:write", [PrefecturalCoordinator];
    /// See the numbers.
    ReadStatistics = "read_statistics", "statistics:read", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Auditor];
    /// Preview and apply uploaded tables.
    ManageImports = "manage_imports", "imports:write", [PrefecturalCoordinator];
    /// See what the own office has to do today.
    ReadToday = "read_today", "requests:review", [PrefecturalCoordinator];
    /// See one's own notices and choose how to be told.
    ReadNotices = "read_notices", "", [SystemAdmin, PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Make secret addresses at which one's own calendar program fetches visits.
    OwnCalendars = "own_calendars", "", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover, Expert, Auditor];
    /// Register the addresses at which an organisation's programs are told of events, and see what was delivered.
    ManageWebhooks = "manage_webhooks", "webhooks:write", [PrefecturalCoordinator, MunicipalStaff, MunicipalApprover];
    /// See the outbox and try parked mails again.
    ManageNotifications = "manage_notifications", "notifications:write", [PrefecturalCoordinator];
    /// See audit events.
    ReadAudit = "read_audit", "audit:read", [SystemAdmin, PrefecturalCoordinator, Auditor];
}

/// All scopes an API client can be given.
pub fn scopes() -> Vec<&'static str> {
    let mut scopes: Vec<&str> = ALL.iter().map(|p| p.scope).filter(|s| !s.is_empty()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
