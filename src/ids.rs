//! Typed ids: each a number of its own kind, so that a request can never be looked up by an expert's number.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::BigInt;
use serde::{Deserialize, Serialize};

/// The largest id the API promises: beyond it JSON numbers lose digits in common clients.
pub const LARGEST_ID: i64 = 9_007_199_254_740_991;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow)]
        #[diesel(sql_type = BigInt)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl<DB: Backend> ToSql<BigInt, DB> for $name where i64: ToSql<BigInt, DB> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<DB: Backend> FromSql<BigInt, DB> for $name where i64: FromSql<BigInt, DB> {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                i64::from_sql(bytes).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .minimum(Some(1))
                    .maximum(Some(LARGEST_ID))
                    .examples([serde_json::json!(12)])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

typed_ids! {
    /// An organisation (団体).
    OrganisationId;
    /// A person who signs in.
    UserId;
    /// A person's role in an organisation from one day to another.
    MembershipId;
    /// A sign-in that is still open, or was.
    SessionId;
    /// A program that acts for an organisation.
    ApiClientId;
    /// A talent pool (人材プール).
    PoolId;
    /// An organisation's membership of a pool.
    PoolMemberId;
    /// A programme (事業).
    ProgrammeId;
    /// A programme's rules for one fiscal year.
    ProgrammeYearId;
    /// A skill framework in one edition.
    SkillFrameworkId;
    /// One item of a skill framework.
    SkillItemId;
    /// A shared expert.
    ExpertId;
    /// A dispatch request (派遣申請).
    RequestId;
    /// A message in a request's thread.
    MessageId;
    /// A file attached to a request.
    AttachmentId;
    /// An offer to one expert for one request.
    OfferId;
    /// A decided dispatch (派遣決定).
    DispatchId;
    /// One visit (回).
    VisitId;
    /// An activity report (実績報告書).
    ReportId;
    /// A long placement (配属).
    PostingId;
    /// One cost item.
    CostItemId;
    /// A version of an agreement on sharing.
    CostAgreementId;
    /// A settlement (精算).
    SettlementId;
    /// What one body owes another.
    ClaimId;
    /// A payment to an expert.
    ExpertPaymentId;
    /// An order of a service menu.
    MenuOrderId;
    /// An issued document.
    DocumentId;
    /// A run of the plan-wide allocation.
    AllocationId;
    /// An outbox message.
    OutboxMessageId;
    /// An event.
    EventId;
    /// A notice to a person.
    NoticeId;
    /// A secret address at which a calendar program fetches visits.
    CalendarFeedId;
    /// A filter of a list that a person keeps.
    SavedFilterId;
    /// An address at which programs are told of events.
    WebhookEndpointId;
    /// An event on its way to an endpoint.
    WebhookDeliveryId;
    /// An attempt to hand a mail over.
    DeliveryAttemptId;
    /// An address that a relay said does not exist.
    UndeliverableAddressId;
    /// An uploaded table.
    ImportId;
    /// An audit event.
    AuditEventId;
}
