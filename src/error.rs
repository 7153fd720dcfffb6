//! Errors as one closed table: code, status, title in Japanese and English. Everything that fails becomes an
//! `application/problem+json` document (RFC 9457); internals never leave the process.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A sentence in the two languages of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Japanese.
    pub ja: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Words {
    /// Both sentences.
    pub fn new(ja: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    /// The sentence in one language.
    pub fn in_locale(&self, locale: Locale) -> &str {
        match locale {
            Locale::Ja => &self.ja,
            Locale::En => &self.en,
        }
    }
}

/// The language an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Japanese, the default.
    #[default]
    Ja,
    /// English.
    En,
}

impl Locale {
    /// The first supported language of an `Accept-Language` header.
    pub fn from_accept_language(header: &str) -> Self {
        for tag in header.split(',') {
            let tag = tag.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            if tag.starts_with("ja") {
                return Self::Ja;
            }
            if tag.starts_with("en") {
                return Self::En;
            }
        }
        Self::Ja
    }
}

macro_rules! error_table {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $code:literal, $ja:literal, $en:literal;)*) => {
        /// Every way an operation can fail. The code is stable: clients may rely on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* #[doc = ""] #[doc = $en] $name),* }

        impl ErrorCode {
            /// The whole table, for documentation and tests.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// HTTP status.
            pub fn status(self) -> StatusCode {
                StatusCode::from_u16(match self { $(Self::$name => $status),* }).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// The stable code, also the last part of the problem's `type`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The stable relative address of this kind of problem (RFC 9457 `type`).
            pub fn problem_type(self) -> String {
                format!("/problems/{}", self.code().replace('_', "-"))
            }

            /// The title in both languages.
            pub fn title(self) -> Words {
                match self { $(Self::$name => Words::new($ja, $en)),* }
            }
        }
    };
}

error_table! {
    MalformedRequest = 400, "malformed_request", "リクエストの形式が正しくありません", "The request is malformed";
    UnknownParameter = 400, "unknown_parameter", "クエリパラメーターが正しくありません", "A query parameter is unknown or malformed";
    InvalidCursor = 400, "invalid_cursor", "カーソルが正しくありません", "The cursor does not belong to this list";
    Unauthenticated = 401, "unauthenticated", "サインインが必要です", "Sign-in is required";
    InvalidCredentials = 401, "invalid_credentials", "メールアドレスまたはパスワードが正しくありません", "The address or the password is wrong";
    SecondFactorRequired = 401, "second_factor_required", "確認コードを入力してください", "A code of the second factor is required";
    Forbidden = 403, "forbidden", "この操作を行う権限がありません", "Your role may not do this";
    NotFound = 404, "not_found", "見つかりません", "Not found";
    MethodNotAllowed = 405, "method_not_allowed", "このメソッドは使えません", "The method is not allowed here";
    NotAcceptable = 406, "not_acceptable", "この形式では返せません", "This representation is not offered";
    InvalidTransition = 409, "invalid_transition", "現在の状態ではこの操作はできません", "The state does not allow this";
    Duplicate = 409, "duplicate", "同じものがすでに登録されています", "The same thing already exists";
    StillReferenced = 409, "still_referenced", "ほかの記録から参照されています", "Other records refer to it";
    VisitOverlap = 409, "visit_overlap", "専門家の予定が重なっています", "The expert is already booked at that time";
    CapacityExceeded = 409, "capacity_exceeded", "専門家の受入上限を超えます", "The expert's agreed load would be exceeded";
    ExpertUnavailable = 409, "expert_unavailable", "専門家がこの派遣に対応できません", "The expert is not available for this";
    BudgetExceeded = 409, "budget_exceeded", "予算の上限を超えます", "The budget would be exceeded";
    EarlierRequestWaits = 409, "earlier_request_waits", "先に提出された申請があります", "A request that arrived earlier goes first";
    PeriodClosed = 409, "period_closed", "締め切られた期間です", "The period is closed";
    SettlementFixed = 409, "settlement_fixed", "額が確定しているため、修正は追給・返納で行います", "The amount is final; corrections are adjustments";
    AgreementPending = 409, "agreement_pending", "負担割合の合意がそろっていません", "Not every body has agreed on the shares";
    PostingShareExceeded = 409, "posting_share_exceeded", "配属の割合の合計が100%を超えます", "Shares of the person would exceed 100 %";
    PostingPlacesExceeded = 409, "posting_places_exceeded", "受入団体の配属枠を超えます", "The host has no place left";
    LinkStruckOut = 409, "link_struck_out", "一度限りのリンクは消されています", "The one-time link has been struck out";
    SecondFactorDemanded = 409, "second_factor_demanded", "所属団体が2段階認証を必須としているため、解除できません", "The organisation demands a second factor of its people";
    RequestInFlight = 409, "request_in_flight", "同じ操作を処理中です", "The same request is being processed";
    SecretNotRepeated = 409, "secret_not_repeated", "この操作の結果は一度しか表示されません", "The secret of this operation is shown once only";
    WebhooksNotConfigured = 409, "webhooks_not_configured", "Webhookは運用者が設定していません", "The operator has not set webhooks up";
    StaleVersion = 412, "stale_version", "ほかの人が先に更新しました", "Somebody else changed it first";
    TooLarge = 413, "too_large", "データが大きすぎます", "The body is too large";
    UnsupportedMediaType = 415, "unsupported_media_type", "このContent-Typeは受け付けられません", "The content type is not accepted";
    ValidationFailed = 422, "validation_failed", "入力内容に誤りがあります", "Some values are wrong";
    RuleRefused = 422, "rule_refused", "事業の要件を満たしていません", "A rule of the programme refuses this";
    KeyReused = 422, "idempotency_key_reused", "同じIdempotency-Keyが別の内容で使われました", "The idempotency key was used with another body";
    PreconditionRequired = 428, "precondition_required", "If-Matchヘッダーが必要です", "An If-Match header is required";
    TooManyRequests = 429, "too_many_requests", "しばらく待ってからやり直してください", "Too many requests; wait and try again";
    Internal = 500, "internal", "サーバーで問題が起きました", "Something went wrong on the server";
    Unavailable = 503, "unavailable", "いまは処理できません。しばらくしてからやり直してください", "Not available right now; try again later";
}

/// One wrong field: where, what kind of wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body, such as `/visits/0/minutes`, or a parameter's name.
    pub pointer: String,
    /// Stable code such as `too_long` or the rule's name.
    pub code: &'static str,
    /// What would be right.
    pub detail: Words,
}

/// A failure on its way to the client; boxed, so that what succeeds does not carry its size.
#[derive(Debug)]
pub struct Error(Box<Failure>);

impl std::ops::Deref for Error {
    type Target = Failure;

    fn deref(&self) -> &Failure {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Failure {
        &mut self.0
    }
}

/// What a failure says.
#[derive(Debug)]
pub struct Failure {
    /// The row of the table.
    pub code: ErrorCode,
    /// More than the title says; the title stands in when absent.
    pub detail: Option<Words>,
    /// All wrong fields at once.
    pub fields: Vec<FieldError>,
    /// For [`ErrorCode::InvalidTransition`]: the state now and what it allows.
    pub state: Option<StateProblem>,
    /// For 405: the value of `Allow`.
    pub allow: Option<String>,
    /// For 429 and 503: seconds to wait.
    pub retry_after: Option<u32>,
    /// Logged, never sent.
    pub source: Option<String>,
}

/// The state an object is in and the verbs that state allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateProblem {
    /// The state now.
    pub current: &'static str,
    /// The verbs allowed now.
    pub allowed: Vec<&'static str>,
}

impl Error {
    /// What it says, taken apart.
    pub fn failure(self) -> Failure {
        *self.0
    }

    /// An error with the table's own words.
    pub fn new(code: ErrorCode) -> Self {
        Self(Box::new(Failure {
            code,
            detail: None,
            fields: Vec::new(),
            state: None,
            allow: None,
            retry_after: None,
            source: None,
        }))
    }

    /// Adds a sentence that says more than the title.
    #[must_use]
    pub fn detail(mut self, ja: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(Words::new(ja, en));
        self
    }

    /// Adds one wrong field.
    #[must_use]
    pub fn field(
        mut self,
        pointer: impl Into<String>,
        code: &'static str,
        ja: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.fields.push(FieldError { pointer: pointer.into(), code, detail: Words::new(ja, en) });
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::fmt::Display) -> Self {
        self.source = Some(cause.to_string());
        self
    }

    /// Not there, or not visible: the two look the same.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound)
    }

    /// Something that should not happen.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::Internal).caused_by(cause)
    }

    /// A transition that the state does not allow.
    pub fn transition(current: &'static str, allowed: Vec<&'static str>) -> Self {
        let mut error = Self::new(ErrorCode::InvalidTransition);
        error.state = Some(StateProblem { current, allowed });
        error
    }

    /// A refusal by a programme rule, which it names.
    pub fn rule(
        rule: &'static str,
        pointer: impl Into<String>,
        ja: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(ErrorCode::RuleRefused).field(pointer, rule, ja, en)
    }

    /// The document for the client.
    pub fn problem(&self, locale: Locale, instance: Option<&str>, request_id: Option<&str>) -> Problem {
        let title = self.code.title();
        Problem {
            problem_type: self.code.problem_type(),
            code: self.code.code().to_owned(),
            title: title.in_locale(locale).to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail.as_ref().unwrap_or(&title).in_locale(locale).to_owned(),
            instance: instance.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
            errors: self
                .fields
                .iter()
                .map(|field| ProblemField {
                    pointer: field.pointer.clone(),
                    code: field.code.to_owned(),
                    detail: field.detail.in_locale(locale).to_owned(),
                })
                .collect(),
            state: self.state.as_ref().map(|state| state.current.to_owned()),
            allowed: self.state.as_ref().map(|state| state.allowed.iter().map(|verb| (*verb).to_owned()).collect()),
        }
    }

    /// The response, in the language the client asked for.
    pub fn response(&self, locale: Locale, instance: Option<&str>, request_id: Option<&str>) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        response.content_type("application/problem+json");
        if let Some(allow) = &self.allow {
            response.insert_header(("Allow", allow.as_str()));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header(("Retry-After", seconds.to_string()));
        }
        if self.code.status() == StatusCode::UNAUTHORIZED {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        response.body(serde_json::to_vec(&self.problem(locale, instance, request_id)).unwrap_or_default())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code.code())?;
        for field in &self.fields {
            write!(f, " [{} {}: {}]", field.pointer, field.code, field.detail.en)?;
        }
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.response(Locale::Ja, None, None)
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        crate::db::constraint::explain(error)
    }
}

impl From<r2d2::Error> for Error {
    fn from(error: r2d2::Error) -> Self {
        let mut unavailable = Self::new(ErrorCode::Unavailable).caused_by(error);
        unavailable.retry_after = Some(5);
        unavailable
    }
}

/// Problem document (RFC 9457) of every failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/problems/validation-failed", "code": "validation_failed", "title": "入力内容に誤りがあります", "status": 422,
    "detail": "入力内容に誤りがあります", "instance": "/api/v1/requests", "request_id": "5f0c1d2e3a4b5c6d",
    "errors": [{"pointer": "/period_to", "code": "before_start", "detail": "終了日は開始日以後にしてください"}]
}))]
pub struct Problem {
    /// Stable relative address of the kind of problem.
    #[serde(rename = "type")]
    #[schema(max_length = 100)]
    pub problem_type: String,
    /// Stable code.
    #[schema(max_length = 60)]
    pub code: String,
    /// Short title in the language asked for.
    #[schema(max_length = 200)]
    pub title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened and what would be right.
    #[schema(max_length = 2000)]
    pub detail: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub instance: Option<String>,
    /// The id under which the failure is in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub request_id: Option<String>,
    /// All wrong fields.
    #[schema(max_items = 1000)]
    pub errors: Vec<ProblemField>,
    /// The state now, when a transition was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    pub state: Option<String>,
    /// The verbs allowed now, when a transition was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub allowed: Option<Vec<String>>,
}

/// One wrong field.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer or parameter name.
    #[schema(max_length = 200)]
    pub pointer: String,
    /// Stable code, or the name of the rule that refuses.
    #[schema(max_length = 60)]
    pub code: String,
    /// What would be right.
    #[schema(max_length = 2000)]
    pub detail: String,
}
