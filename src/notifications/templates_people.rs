//! What a person is told of the own memberships.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::template::Brand;
use super::templates_facts::Addressee;
use super::templates_letter::{Letter, day_text, pick};
use super::templates_wording::pen;
use crate::error::Locale;

/// A membership was given to somebody who has an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipGiven {
    /// The person.
    pub recipient: Addressee,
    /// The body for which the person can act.
    pub organisation: String,
    /// The role there, in the reader's language.
    pub role: String,
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day, where one is set.
    pub last_day: Option<NaiveDate>,
    /// Who gave it.
    pub given_by: Option<String>,
    /// Where the person signs in.
    pub link: String,
}

impl MembershipGiven {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (organisation, role) = (&self.organisation, &self.role);
        let happened = match locale {
            Locale::Ja => format!("{organisation}の{role}として登録されました。"),
            Locale::En => format!("You have been registered for {organisation} as {role}."),
        };
        let letter = pen.letter(pen.say("所属の追加", "A membership for you"), &happened).subject_extra(organisation.as_str());
        let letter =
            letter.action(pen.say("サインインし、所属を切り替えてお使いください。", "Sign in and switch to this membership."));
        last_day(letter, self.last_day, locale)
            .group()
            .fact("団体", "Organisation", organisation.as_str())
            .fact("役割", "Role", role.as_str())
            .fact("開始日", "From", self.from.map(|day| day_text(day, locale)).as_deref())
            .fact("登録した人", "Given by", self.given_by.as_deref())
            .link(brand, "サインイン", "Sign in", &self.link)
            .note(&[pen.say(
                "心当たりのないときは、登録した団体へご連絡ください。",
                "If you did not expect this, ask the body that registered you.",
            )])
    }
}

/// A membership was ended, or its end was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipEnded {
    /// The person.
    pub recipient: Addressee,
    /// The body for which the person acted.
    pub organisation: String,
    /// The role there, in the reader's language.
    pub role: String,
    /// Last day on which the person can act.
    pub last_day: NaiveDate,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// Where the person's other memberships are seen.
    pub link: String,
}

impl MembershipEnded {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (organisation, role) = (&self.organisation, &self.role);
        let happened = match locale {
            Locale::Ja => format!("{organisation}の{role}としての登録が終わることになりました。"),
            Locale::En => format!("Your registration for {organisation} as {role} ends."),
        };
        let letter = pen
            .letter(pen.say("所属の終了", "A membership ends"), &happened)
            .subject_extra(organisation.as_str())
            .action(pen.say(
                "進行中の仕事があれば、後任の方へ引き継いでください。",
                "Hand over to your successor what is not finished.",
            ));
        last_day(letter, Some(self.last_day), locale)
            .group()
            .fact("団体", "Organisation", organisation.as_str())
            .fact("役割", "Role", role.as_str())
            .fact("終了した人", "Ended by", self.ended_by.as_deref())
            .link(brand, "自分の所属", "Your memberships", &self.link)
            .note(&[pen.say("心当たりのないときは、この団体へご連絡ください。", "If you did not expect this, ask that body.")])
    }
}

/// The third line: until when the reader can act.
fn last_day(letter: Letter, day: Option<NaiveDate>, locale: Locale) -> Letter {
    match day {
        Some(day) => letter.summary_line(pick(locale, "最終日", "Last day"), &day_text(day, locale)),
        None => letter,
    }
}
