//! The facts that several notices state: who is written to, which request or dispatch, which visits.
//!
//! They are copies made when the event happens, so that a mail sent hours later still tells what was true then.
//! A fact that is not known is `None` (or empty) and simply does not appear in the mail.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Locale;
use crate::requests::model::Mode;

/// Who is written to, as addressed in the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Addressee {
    /// An office and its shared mailbox (御中).
    Section {
        /// Name of the body.
        organisation: String,
        /// Name of the section, where one is known.
        section: Option<String>,
    },
    /// A person (様).
    Person {
        /// The body the person belongs to; experts of their own have none.
        organisation: Option<String>,
        /// The name, exactly as stored.
        name: String,
    },
}

/// An address that lets its holder act without signing in, once. Its value never shows in `{:?}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OneTimeLink(String);

impl OneTimeLink {
    /// Wraps a path such as `/offers/answer?token=…`, or a whole address.
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeLink(…)")
    }
}

/// The request (派遣申請) a notice speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRef {
    /// Document number such as `R8-0012`; there is none before the decision.
    pub number: Option<String>,
    /// The office's own 文書番号, as typed.
    pub document_number: Option<String>,
    /// Name of the programme (事業).
    pub programme: Option<String>,
    /// The body that applies, or leads the joint application.
    pub applicant: String,
    /// The other bodies of a joint application.
    pub joint_applicants: Vec<String>,
    /// Theme of the request, as typed.
    pub title: String,
}

/// The dispatch (派遣) a notice speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchRef {
    /// Document number given at the decision, such as `R8-0012`.
    pub number: String,
    /// The office's own 文書番号, as typed.
    pub document_number: Option<String>,
    /// Name of the programme (事業).
    pub programme: Option<String>,
    /// The body the expert is sent to.
    pub applicant: String,
    /// Theme of the request, as typed.
    pub title: String,
    /// Names of the experts.
    pub experts: Vec<String>,
}

/// A visit (回) as planned. Everything may still be open; an open date is shown as such.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedVisit {
    /// When it begins; `None`: to be arranged.
    pub starts_at: Option<DateTime<Utc>>,
    /// How long it lasts, in minutes.
    pub minutes: Option<u32>,
    /// How it takes place.
    pub mode: Option<Mode>,
    /// Where, as typed.
    pub place: Option<String>,
}

/// For whose reasons something was called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelParty {
    /// The body that applied.
    Applicant,
    /// The expert.
    Expert,
    /// The office that runs the programme.
    Coordinator,
    /// Nobody's: weather, disaster and the like.
    Circumstances,
}

/// For whom a decision notice is written; each reader has other things to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionReader {
    /// The applicant: receives the expert and reports afterwards.
    Applicant,
    /// The expert: is sent.
    Expert,
    /// Another body that takes part.
    ParticipatingBody,
}

/// The same in both languages: which is read is known when it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Both {
    /// In Japanese.
    pub ja: String,
    /// In English.
    pub en: String,
}

/// How it may have been written down: before there were two languages as one text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Plain(String),
    Both { ja: String, en: String },
}

impl From<Written> for Both {
    fn from(written: Written) -> Self {
        match written {
            Written::Plain(text) => Self { ja: text.clone(), en: text },
            Written::Both { ja, en } => Self { ja, en },
        }
    }
}

impl Both {
    /// In one of the languages.
    pub(super) fn of(&self, locale: Locale) -> &str {
        match locale {
            Locale::Ja => &self.ja,
            Locale::En => &self.en,
        }
    }
}

/// One item of an amendment (変更決定).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What changed, for example 日時.
    pub item: Both,
    /// How it was; `None` when it was not there before.
    pub before: Option<Both>,
    /// How it is now; `None` when it was taken away.
    pub after: Option<Both>,
}

/// Until when something is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// An instant.
    At(DateTime<Utc>),
    /// The end of a day.
    On(NaiveDate),
}
