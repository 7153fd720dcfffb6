//! Sending a mail once more by hand: a new mail of its own that says so.

use super::delivery_store::STRUCK_OUT;
use super::message::{MAX_SUBJECT_CHARS, message_id_for};
use super::store::{self, MessageRow};
use crate::clock::UtcTime;
use crate::db::Conn;
use crate::error::{Error, ErrorCode};

/// Writes the mail once more, to the same person.
///
/// # Errors
/// 409 `invalid_transition` while the mail is still on its way, and 409 `link_struck_out` when its one-time link has been
/// struck out: the repeat would lead nowhere.
pub fn resend(conn: &mut Conn, of: &MessageRow, message_domain: &str, now: UtcTime) -> Result<MessageRow, Error> {
    match of.status.as_str() {
        "sent" | "parked" => {}
        "sending" => return Err(Error::transition("sending", Vec::new())),
        _ => return Err(Error::transition("queued", Vec::new())),
    }
    if of.body.contains(&format!("token={STRUCK_OUT}")) {
        return Err(Error::new(ErrorCode::LinkStruckOut).detail(
            "このメールの一度限りのリンクは、送信後に記録から消されています。元の画面から、新しいリンクのメールを送ってください",
            "The one-time link of this mail was struck out once it had been sent. Send a mail with a new link from where the first one came from",
        ));
    }
    let (subject, body) = repeated(&of.subject, &of.body, of.created_at);
    store::repeat(conn, of, &subject, &body, |key| message_id_for(key, message_domain), now)
}

/// Subject and text of a repeat; the reader sees at once that it is one, and of when.
fn repeated(subject: &str, body: &str, written: UtcTime) -> (String, String) {
    let subject: String = format!("【再送】{subject}").chars().take(MAX_SUBJECT_CHARS).collect();
    let day = written.jst_day();
    let note = format!(
        "（{}に作成したメールの再送です。 / This repeats a mail of {}.）",
        day.format("%Y年%-m月%-d日"),
        day.format("%Y-%m-%d")
    );
    (subject, format!("{note}\n\n{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_says_of_when_the_first_mail_was() {
        let written: UtcTime = serde_json::from_str("\"2026-04-05T15:30:00Z\"").unwrap();
        let (subject, body) = repeated("【たすき】依頼", "本文", written);
        assert_eq!(subject, "【再送】【たすき】依頼");
        assert_eq!(body, "（2026年4月6日に作成したメールの再送です。 / This repeats a mail of 2026-04-06.）\n\n本文");
        assert_eq!(repeated(&"あ".repeat(300), "", written).0.chars().count(), MAX_SUBJECT_CHARS);
    }
}
