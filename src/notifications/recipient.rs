//! Who gets a mail: a person, or the section mailbox of an organisation.

use super::template::Addressee;
use crate::error::Locale;

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Recipient {
    /// A person.
    pub fn person(address: impl Into<String>, name: impl Into<String>, organisation: impl Into<String>, locale: Locale) -> Self {
        Self { address: address.into(), name: name.into(), organisation: organisation.into(), is_section: false, locale }
    }

    /// A section mailbox.
    pub fn section(address: impl Into<String>, organisation: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            name: organisation.into(),
            organisation: String::new(),
            is_section: true,
            locale: Locale::Ja,
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
