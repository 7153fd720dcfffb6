//! What a relay's reply means for the mail, for its recipient and for all mail (RFC 5321, section 4.2; RFC 3463).

use super::transport::FailureKind;

/// The step of the handing over at which something failed, after a session stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// `MAIL FROM`: nothing has been said yet that concerns this mail alone, since all mails have one sender.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`, before the content.
    Data,
    /// The content, up to the answer to its last line.
    Content,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// For the mail.
    pub kind: FailureKind,
    /// The address itself is what was refused for good.
    pub recipient_refused: bool,
    /// The relay may have taken the mail over.
    pub outcome_unknown: bool,
    /// It may be this very mail that the relay cannot bear, so the try counts as one of its own.
    pub mail_tried: bool,
}

/// Judges a failure by its stage, the reply code (none: the connection broke) and the reply's text.
pub fn judge(stage: Stage, code: Option<u16>, text: &str) -> Judgement {
    let status = enhanced(text);
    let kind = match code {
        // 421 ends the session, 530/534/535/538 ask for another sign-in (RFC 4954, section 6): the relay, not the mail.
        Some(421 | 530 | 534 | 535 | 538) => FailureKind::Unreachable,
        // Whatever is said about the sender is said to every mail: none may be given up for it.
        _ if stage == Stage::Sender => FailureKind::Unreachable,
        // "Mail system congestion" is "useful only as a persistent transient error" (RFC 3463, 3.5); providers whose daily
        // quota is used up say it with a 5xx all the same.
        Some(500..) if status == Some((4, 5)) => FailureKind::Transient,
        Some(500..) => FailureKind::Permanent,
        Some(_) | None => FailureKind::Transient,
    };
    // X.1 is about addresses, X.2 about mailboxes; a relay without such codes says it by refusing the recipient. X.7 and the
    // rest are policies of the relay and say nothing about the address.
    let recipient_refused = kind == FailureKind::Permanent
        && match status {
            Some((subject, _)) => matches!(subject, 1 | 2) && stage >= Stage::Recipient,
            None => stage == Stage::Recipient,
        };
    Judgement {
        kind,
        recipient_refused,
        outcome_unknown: code.is_none() && stage == Stage::Content,
        mail_tried: stage > Stage::Sender,
    }
}

/// Subject and detail of the enhanced status code that begins a reply's text, such as `(1, 1)` of `5.1.1 unknown`.
fn enhanced(text: &str) -> Option<(u16, u16)> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    let known = matches!(class, "2" | "4" | "5") && parts.next().is_none();
    Some((subject.parse().ok()?, detail.parse().ok()?)).filter(|_| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_stops_the_relay_the_recipient_or_the_mail() {
        use FailureKind::{Permanent, Transient, Unreachable};
        for (stage, code, text, kind) in [
            (Stage::Sender, 451, "4.3.0 busy", Unreachable),
            (Stage::Sender, 553, "5.7.1 not your address", Unreachable),
            (Stage::Recipient, 421, "4.3.2 shutting down", Unreachable),
            (Stage::Recipient, 450, "4.2.0 greylisted", Transient),
            (Stage::Recipient, 452, "4.2.2 mailbox full", Transient),
            (Stage::Recipient, 550, "5.1.1 unknown", Permanent),
            (Stage::Recipient, 530, "5.7.0 sign in", Unreachable),
            (Stage::Data, 451, "4.3.0 error", Transient),
            (Stage::Data, 554, "no valid recipients", Permanent),
            (Stage::Content, 421, "4.3.0 filter died", Unreachable),
            (Stage::Content, 452, "4.3.1 full", Transient),
            (Stage::Content, 554, "5.7.1 spam", Permanent),
            (Stage::Content, 550, "5.4.5 Daily sending limit exceeded", Transient),
        ] {
            let judged = judge(stage, Some(code), text);
            assert_eq!((judged.kind, judged.outcome_unknown), (kind, false), "{stage:?} {code} {text}");
            assert_eq!(judged.mail_tried, stage != Stage::Sender, "{stage:?} {code} {text}");
        }
    }

    #[test]
    fn an_address_is_marked_only_when_it_was_the_reason() {
        for (stage, code, text, marked) in [
            (Stage::Recipient, 550, "5.1.1 <a@b> unknown", true),
            (Stage::Recipient, 550, "no such user", true),
            (Stage::Recipient, 552, "5.2.2 over quota", true),
            (Stage::Recipient, 554, "5.7.1 relay access denied", false),
            (Stage::Recipient, 450, "4.1.1 unknown for now", false),
            (Stage::Content, 550, "5.1.1 unknown", true),
            (Stage::Content, 554, "5.7.1 spam", false),
            (Stage::Content, 554, "refused", false),
            (Stage::Recipient, 550, "1.2.3.4 is blocked", true),
        ] {
            assert_eq!(judge(stage, Some(code), text).recipient_refused, marked, "{stage:?} {code} {text}");
        }
    }

    #[test]
    fn only_a_break_in_the_content_leaves_the_outcome_unknown() {
        for (stage, unknown) in [(Stage::Recipient, false), (Stage::Data, false), (Stage::Content, true)] {
            let judged = judge(stage, None, "network error");
            assert_eq!((judged.kind, judged.outcome_unknown), (FailureKind::Transient, unknown), "{stage:?}");
        }
        assert_eq!(judge(Stage::Sender, None, "network error").kind, FailureKind::Unreachable);
    }
}
