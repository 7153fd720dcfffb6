//! The wording about accounts: invitation, new password, and the mail that tests the mail.

use chrono::{DateTime, Utc};

use super::templates_facts::Until;
use super::templates_letter::{Letter, instant_text, pick};
use super::templates_wording::Pen;

/// An account was prepared.
pub(super) fn invited(
    pen: &Pen<'_>,
    organisation: &str,
    role: Option<&str>,
    invited_by: Option<&str>,
    expires_at: DateTime<Utc>,
) -> Letter {
    let service = &pen.brand.service_name;
    let happened = pick(
        pen.locale,
        format!("「{service}」の利用者として登録されました（{organisation}）。"),
        format!("You have been registered as a user of {service} ({organisation})."),
    );
    pen.letter(pen.say("利用登録のご案内", "Your account"), &happened)
        .action(pen.say("下のアドレスを開き、パスワードを決めてください。", "Open the address below and choose a password."))
        .until(Until::At(expires_at))
        .group()
        .fact("団体", "Organisation", organisation)
        .fact("役割", "Role", role)
        .fact("登録した人", "Invited by", invited_by)
        .link(pen.brand, "パスワードを決める", "Choose a password", pen.link)
        .note(&[
            pen.say(
                "このアドレスはあなた専用で、一度だけ使えます。転送しないでください。",
                "This address is yours alone and works once. Please do not forward it.",
            ),
            pen.say(
                "心当たりのないときは、何もせずにこのメールを削除してください。",
                "If you did not expect this, delete this mail; nothing will happen.",
            ),
        ])
}

/// A new password was asked for.
pub(super) fn password_reset(pen: &Pen<'_>, expires_at: DateTime<Utc>) -> Letter {
    pen.letter(
        pen.say("パスワードの再設定", "Password reset"),
        pen.say("パスワードの再設定の申込みがありました。", "A new password was asked for your account."),
    )
    .action(pen.say(
        "申し込んだ方は、下のアドレスを開いて新しいパスワードを決めてください。",
        "If it was you, open the address below and choose a new password.",
    ))
    .until(Until::At(expires_at))
    .link(pen.brand, "新しいパスワードを決める", "Choose a new password", pen.link)
    .note(&[
        pen.say(
            "このアドレスはあなた専用で、一度だけ使えます。転送しないでください。",
            "This address is yours alone and works once. Please do not forward it.",
        ),
        pen.say(
            "心当たりのないときは、何もする必要はありません。今のパスワードはそのままです。",
            "If it was not you, there is nothing to do. Your password stays as it is.",
        ),
    ])
}

/// Does mail arrive?
pub(super) fn test_mail(pen: &Pen<'_>, requested_at: DateTime<Utc>) -> Letter {
    pen.letter(
        pen.say("送信試験", "Test mail"),
        pen.say("メールの送信試験です。届いていれば、設定は働いています。", "A test mail. If it arrived, the settings work."),
    )
    .action(pen.nothing_to_do())
    .group()
    .fact("試験を行った時刻", "Asked for at", instant_text(requested_at, pen.locale).as_str())
}
