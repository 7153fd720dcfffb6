//! Putting a mail into the outbox, in the transaction of the change it tells about.

use super::message::message_id_for;
use super::recipient::Recipient;
use super::store::{self, NewMessage};
use super::template::{Brand, Notice, render};
use crate::app::App;
use crate::db::Conn;
use crate::error::Error;
use crate::http::Ctx;
use crate::ids::OrganisationId;

/// One mail to one recipient.
#[derive(Debug, Clone)]
pub struct Mail {
    /// What it says.
    pub notice: Notice,
    /// To whom.
    pub to: Recipient,
    /// The organisation whose coordinators see it in the outbox.
    pub owner: OrganisationId,
    /// The object it is about; mails about one object form a thread.
    pub entity: (&'static str, i64),
    /// What makes it the same mail: event, object and its version. The recipient's address is added. A second mail
    /// with the same key is not written.
    pub dedupe: String,
}

/// The words every mail shares.
pub fn brand(app: &App) -> Brand {
    Brand {
        service_name: app.config.service_name.clone(),
        subject_prefix: app.config.mail.subject_prefix.clone(),
        sender_organisation: app.config.smtp.from_name.clone(),
        base_url: app.config.base_url.clone(),
    }
}

/// Adds a mail to the outbox.
pub fn enqueue(conn: &mut Conn, ctx: &Ctx, mail: Mail) -> Result<(), Error> {
    let rendered = render(&mail.notice, mail.to.locale, &brand(&ctx.app));
    let dedupe_key = format!("{}:{}", mail.dedupe, mail.to.address.to_ascii_lowercase());
    let domain = ctx.app.config.smtp.from_address.rsplit('@').next().unwrap_or_default();
    store::insert(
        conn,
        &NewMessage {
            event: mail.notice.event(),
            message_id: &message_id_for(&dedupe_key, domain),
            dedupe_key: &dedupe_key,
            owner: mail.owner,
            entity_kind: mail.entity.0,
            entity_id: mail.entity.1,
            recipient_address: &mail.to.address,
            recipient_name: &mail.to.name,
            subject: &rendered.subject,
            secret: secret_in(&rendered.text, &ctx.app.config.base_url),
            body: &rendered.text,
            thread_id: &message_id_for(&format!("{}:{}", mail.entity.0, mail.entity.1), domain),
            now: ctx.now,
        },
    )
}

/// The one-time token in a text, so that it can be struck out once the mail has left. It stands in a line that is one of
/// the service's own addresses; what people wrote does not count.
fn secret_in<'a>(text: &'a str, base_url: &str) -> Option<&'a str> {
    text.lines().map(str::trim).filter(|line| line.starts_with(base_url)).find_map(|line| {
        let (_, token) = line.split_once("token=")?;
        let formed = token.len() >= 20 && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        formed.then_some(token)
    })
}

#[cfg(test)]
mod tests {
    use super::secret_in;

    #[test]
    fn finds_the_token_of_a_link_and_nothing_else() {
        let base = "https://x.example";
        let text = "事務局より: https://evil.example/?token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n次のリンクから\nhttps://x.example/offers/answer?token=abcdefghijklmnopqrstuvwxyz-_12\n回答";
        assert_eq!(secret_in(text, base), Some("abcdefghijklmnopqrstuvwxyz-_12"));
        assert_eq!(secret_in("https://x.example/requests/12", base), None);
    }
}
