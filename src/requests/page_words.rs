//! How pages write the states of requests, and the parameters of a list as an address. Decides nothing.

use chrono::{Datelike as _, NaiveDate};

use crate::offers::model::OfferStatus;
use crate::requests::model::Stage;
use crate::web::tongue::{Tongue, esc};

/// The words of an enum: its Japanese label, or its stable text in English.
pub fn said(tongue: Tongue, ja: &str, code: &str) -> String {
    if !tongue.english() {
        return ja.to_owned();
    }
    let mut text = code.replace(['_', '-'], " ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// The first day of 令和.
const REIWA: Option<NaiveDate> = NaiveDate::from_ymd_opt(2019, 5, 1);

/// A day as tables write it: R8.4.1.
pub fn brief(tongue: Tongue, day: NaiveDate) -> String {
    if tongue.english() || REIWA.is_none_or(|first| day < first) {
        return day.to_string();
    }
    format!("R{}.{}.{}", day.year() - 2018, day.month(), day.day())
}

fn tag(class: &str, words: &str) -> String {
    let class = if class.is_empty() { "tag".to_owned() } else { format!("tag {class}") };
    format!(r#"<span class="{class}">{}</span>"#, esc(words))
}

/// Where a request stands, as a tag.
pub fn stage_tag(tongue: Tongue, stage: Stage) -> String {
    let class = match stage {
        Stage::Draft | Stage::Withdrawn | Stage::Matching | Stage::Offered => "",
        Stage::AwaitingApproval
        | Stage::Submitted
        | Stage::Returned
        | Stage::Waitlisted
        | Stage::AwaitingDecision
        | Stage::AwaitingReport
        | Stage::Reported => "warn",
        Stage::Rejected | Stage::Cancelled => "bad",
        Stage::Scheduled | Stage::InProgress | Stage::Completed => "good",
    };
    tag(class, &said(tongue, stage.label_ja(), stage.as_str()))
}

/// Where an offer stands, as a tag.
pub fn offer_tag(tongue: Tongue, status: OfferStatus) -> String {
    let class = match status {
        OfferStatus::Queued | OfferStatus::Withdrawn => "",
        OfferStatus::Sent | OfferStatus::DatesProposed => "warn",
        OfferStatus::Accepted => "good",
        OfferStatus::Declined | OfferStatus::Expired => "bad",
    };
    tag(class, &said(tongue, status.label_ja(), status.as_str()))
}

/// The parameters of a page's address, those that may be given several times joined by commas; blanks are left out, and
/// so is what a form that succeeded left there.
pub fn parameters(place: &str, several: &[&str]) -> Vec<(String, String)> {
    let query = place.split_once('?').map_or("", |(_, query)| query);
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(name, value)| name != "done" && !value.is_empty()) {
        match kept.iter_mut().find(|(known, _)| *known == name && several.contains(&known.as_str())) {
            Some((_, joined)) => {
                joined.push(',');
                joined.push_str(&value);
            }
            None => kept.push((name.into_owned(), value.into_owned())),
        }
    }
    kept
}

/// An address with parameters.
pub fn address(path: &str, parameters: &[(String, String)]) -> String {
    if parameters.is_empty() {
        return path.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{path}?{query}")
}
