//! One connection to the relay: opened as the settings demand, then given one mail after another.

use std::fmt;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::transport::smtp::{self};
use secrecy::ExposeSecret;

use super::replies::Stage;
use super::transport::{SmtpSecurity, SmtpSettings};

/// Where the handing over of a mail ended, and with what.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) stage: Stage,
    pub(super) error: smtp::Error,
}

impl Refusal {
    /// The relay had left, or leaves, before it heard of the mail.
    pub(super) fn is_end_of_session(&self) -> bool {
        self.stage == Stage::Sender && self.error.status().map(u16::from).is_none_or(|code| code == 421)
    }
}

/// An open connection.
pub(super) struct Session {
    connection: SmtpConnection,
    mails: u32,
}

impl Session {
    /// Connects, protects the connection and signs in. Nothing of a mail, and no password, goes out before that.
    pub(super) fn open(settings: &SmtpSettings, tls: Option<&TlsParameters>) -> Result<Self, smtp::Error> {
        let hello = ClientId::default();
        let wrapper = tls.filter(|_| settings.security == SmtpSecurity::Tls);
        let address = (settings.host.as_str(), settings.port);
        let mut connection = SmtpConnection::connect(address, Some(settings.timeout), &hello, wrapper, None)?;
        if settings.security == SmtpSecurity::StartTls
            && let Some(tls) = tls
        {
            // An error when the relay does not offer it: nothing follows in clear text.
            connection.starttls(tls, &hello)?;
        }
        if let (Some(username), Some(password)) = (&settings.username, &settings.password) {
            let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)?;
        }
        Ok(Self { connection, mails: 0 })
    }

    /// Mails this connection has taken so far.
    pub(super) fn mails(&self) -> u32 {
        self.mails
    }

    /// Hands one mail over, command by command, so that it is known how far it came.
    pub(super) fn hand_over(&mut self, envelope: &Envelope, content: &str) -> Result<Response, Refusal> {
        let eight_bit = !content.is_ascii() && self.connection.server_info().supports_feature(Extension::EightBitMime);
        let options = if eight_bit { vec![MailParameter::Body(MailBodyParameter::EightBitMime)] } else { Vec::new() };
        self.say(Stage::Sender, Mail::new(envelope.from().cloned(), options))?;
        for recipient in envelope.to() {
            self.say(Stage::Recipient, Rcpt::new(recipient.clone(), Vec::new()))?;
        }
        self.say(Stage::Data, Data)?;
        let answer = self.say(Stage::Content, Content(content))?;
        self.mails = self.mails.saturating_add(1);
        Ok(answer)
    }

    fn say(&mut self, stage: Stage, command: impl fmt::Display) -> Result<Response, Refusal> {
        self.connection.command(command).map_err(|error| Refusal { stage, error })
    }

    /// Makes the relay forget a mail it refused; `false`: the connection is of no more use.
    pub(super) fn reset(&mut self) -> bool {
        self.connection.command(Rset).is_ok()
    }

    /// Says goodbye, as far as the relay still listens.
    pub(super) fn abort(mut self) {
        self.connection.abort();
    }
}

/// The content of a mail with its end, as one command. The library writes the final dot apart, and two small packets in a row
/// wait for each other on a connection that gathers small packets (Nagle) with a peer that delays its acknowledgement: 40 ms
/// for each mail.
struct Content<'a>(&'a str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line's leading dot is doubled (RFC 5321, section 4.5.2).
        for line in self.0.split_inclusive("\r\n") {
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        f.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn dots_at_the_beginning_of_lines_are_doubled_and_the_end_stands_alone() {
        assert_eq!(Content("a\r\n.b\r\n..\r\nc.\r\n").to_string(), "a\r\n..b\r\n...\r\nc.\r\n.\r\n");
        assert_eq!(Content(".a").to_string(), "..a\r\n.\r\n");
        assert_eq!(Content("").to_string(), "\r\n.\r\n");
    }
}
