//! Who gets a mail: a person, or the section mailbox of an organisation.

use serde::{Deserialize, Serialize};

use super::template::Addressee;
use crate::error::Locale;
use crate::ids::{OrganisationId, UserId};

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Mail address.
    pub address: String,
    /// Name of the person, or of the organisation for a section mailbox.
    pub name: String,
    /// Organisation of the person; empty for a section mailbox.
    pub organisation: String,
    /// Whether this is a section mailbox.
    pub is_section: bool,
    /// Language of the mail.
    pub locale: Locale,
    /// The account, for those who have one: it gets a notice beside the mail, and chooses how it is told.
    pub user_id: Option<UserId>,
    /// The body for which the recipient is told.
    pub organisation_id: Option<OrganisationId>,
}

impl Recipient {
    /// A person.
    pub fn person(address: impl Into<String>, name: impl Into<String>, organisation: impl Into<String>, locale: Locale) -> Self {
        Self {
            address: address.into(),
            name: name.into(),
            organisation: organisation.into(),
            is_section: false,
            locale,
            user_id: None,
            organisation_id: None,
        }
    }

    /// The same, with the account.
    #[must_use]
    pub fn with_account(mut self, user: impl Into<Option<UserId>>) -> Self {
        self.user_id = user.into();
        self
    }

    /// The same, told for a body.
    #[must_use]
    pub fn of_body(mut self, organisation: OrganisationId) -> Self {
        self.organisation_id = Some(organisation);
        self
    }

    /// A section mailbox.
    pub fn section(address: impl Into<String>, organisation: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            name: organisation.into(),
            organisation: String::new(),
            is_section: true,
            locale: Locale::Ja,
            user_id: None,
            organisation_id: None,
        }
    }

    /// The form of address.
    pub fn addressee(&self) -> Addressee {
        if self.is_section {
            Addressee::Section { organisation: self.name.clone(), section: None }
        } else {
            Addressee::Person {
                organisation: Some(self.organisation.clone()).filter(|name| !name.is_empty()),
                name: self.name.clone(),
            }
        }
    }
}
