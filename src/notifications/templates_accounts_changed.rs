//! What a person is told of changes to the own account, so that one who did not make them can act.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::template::Brand;
use super::templates_facts::Addressee;
use super::templates_letter::{Letter, instant_text};
use super::templates_wording::pen;
use crate::error::Locale;

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// The password, by who knew it.
    PasswordChanged,
    /// The password, with a mailed link.
    PasswordReset,
    /// The second factor was set up.
    SecondFactorOn,
    /// The second factor was taken away.
    SecondFactorOff,
    /// The second factor was taken away by somebody who manages the account.
    SecondFactorReset,
    /// The recovery codes were made anew.
    RecoveryCodes,
    /// The mail address, by somebody who manages the account; told to the address before.
    Email,
}

/// The account of the reader was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChanged {
    /// The account's person.
    pub recipient: Addressee,
    /// What was changed.
    pub change: AccountChange,
    /// Who did it, where that was somebody else.
    pub changed_by: Option<String>,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Where the person sees the own account.
    pub link: String,
}

impl AccountChanged {
    pub(super) fn letter(&self, locale: Locale, brand: &Brand) -> Letter {
        let pen = pen(locale, brand, &self.recipient, &self.link);
        let (ja, en) = match self.change {
            AccountChange::PasswordChanged => ("パスワードが変更されました", "Your password was changed"),
            AccountChange::PasswordReset => {
                ("メールのリンクからパスワードが設定し直されました", "Your password was set anew with a mailed link")
            }
            AccountChange::SecondFactorOn => ("二段階認証が設定されました", "A second factor was set up for your account"),
            AccountChange::SecondFactorOff => ("二段階認証が解除されました", "The second factor of your account was taken away"),
            AccountChange::SecondFactorReset => (
                "利用者の管理者が二段階認証を解除しました",
                "The second factor of your account was taken away by an administrator",
            ),
            AccountChange::RecoveryCodes => (
                "回復コードが作り直されました。以前のコードは使えません",
                "Your recovery codes were renewed; those before no longer work",
            ),
            AccountChange::Email => (
                "アカウントのメールアドレスが変更されました。このアドレスへのお知らせは、これで最後です",
                "The mail address of your account was changed; this is the last message to this address",
            ),
        };
        let happened = match locale {
            Locale::Ja => format!("{ja}。"),
            Locale::En => format!("{en}."),
        };
        let at = instant_text(self.changed_at, locale);
        pen.letter(pen.say("アカウントの変更", "Your account was changed"), &happened)
            .action(pen.say(
                "ご自身の操作であれば、何もする必要はありません。心当たりがないときは、すぐにパスワードを設定し直し、所属団体の管理者へご連絡ください。",
                "If this was you, nothing. If not, set a new password at once and tell the administrator of your organisation.",
            ))
            .group()
            .fact("変更日時", "Changed at", at.as_str())
            .fact("変更した人", "Changed by", self.changed_by.as_deref())
            .link(brand, "アカウントの画面", "Your account", &self.link)
    }
}
