//! The page of the own account: memberships, sessions, password, second factor.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::json;

use super::policy::OwnAccount;
use super::views::{MeView, SessionView};
use super::{account, second_factor};
use crate::error::Error;
use crate::web::choices::Choices;
use crate::web::form::Form;
use crate::web::page::{Page, Sheet, View};
use crate::web::tongue::Tongue;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/account", web::get().to(show));
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<h1>{{ tongue.t("アカウントと安全", "Account and security") }}</h1>
<dl class="facts"><dt>{{ tongue.t("氏名", "Name") }}</dt><dd>{{ me.name }}</dd>
{% if let Some(email) = me.email %}<dt>{{ tongue.t("メールアドレス", "Mail address") }}</dt><dd>{{ email }}</dd>{% endif %}
<dt>{{ tongue.t("いまの所属", "Acting for") }}</dt><dd>{{ me.organisation_name }}（{{ tongue.t(me.role.label_ja(), me.role.as_str()) }}）</dd></dl>
{% if switches.len() > 1 %}<h2>{{ tongue.t("所属を切り替える", "Switch membership") }}</h2><ul class="plain">{% for (label, here, form) in switches %}<li>{{ label }} {% if here %}<span class="tag good">{{ tongue.t("いまの所属", "active") }}</span>{% else %}{{ form|safe }}{% endif %}</li>{% endfor %}</ul>{% endif %}
<h2>{{ tongue.t("2段階認証", "Second factor") }}</h2>
{% if set_up %}<p><span class="tag good">{{ tongue.t("設定済み", "set up") }}</span> {{ tongue.t("使っていない回復コード", "Unused recovery codes") }}: {{ codes_left }}</p>
<details{% if renew.contains("notice bad") %} open{% endif %}><summary>{{ tongue.t("回復コードを作り直す", "New recovery codes") }}</summary>{{ renew|safe }}</details>
{% if !demanded %}<details{% if remove.contains("notice bad") %} open{% endif %}><summary>{{ tongue.t("2段階認証を解除する", "Remove the second factor") }}</summary>{{ remove|safe }}</details>{% endif %}
{% else %}<p>{% if demanded %}<strong>{{ tongue.t("所属団体が2段階認証を必須としています。設定するまで、ほかのページは使えません。", "Your organisation demands a second factor. Until you set it up, no other page is open.") }}</strong>{% else %}{{ tongue.t("サインインのとき、パスワードに加えて、認証アプリの確認コードを求めるようにします。", "Signing in will ask for a code of your authenticator beside the password.") }}{% endif %}</p>
{% if started %}<p>{{ tongue.t("設定の途中です。認証アプリに登録した方は、表示された確認コードを入力してください。登録していない方は、下からやり直してください。", "You have begun to set it up: enter the code your authenticator shows, or begin again below.") }}</p>{{ confirm|safe }}{% endif %}
{{ start|safe }}{% endif %}
<h2>{{ tongue.t("サインイン中の端末", "Open sessions") }}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ tongue.t("サインイン中の端末", "Open sessions") }}"><table><thead><tr><th scope="col">{{ tongue.t("種類", "Kind") }}</th><th scope="col">{{ tongue.t("端末", "Device") }}</th><th scope="col">{{ tongue.t("開始", "Since") }}</th><th scope="col">{{ tongue.t("最後の利用", "Last used") }}</th><th scope="col">{{ tongue.t("操作", "Action") }}</th></tr></thead><tbody>
{% for (session, form) in sessions %}<tr><td>{% if session.kind == "web" %}{{ tongue.t("画面", "Pages") }}{% else %}API{% endif %}</td><td>{{ session.user_agent }}</td><td>{{ tongue.instant(*session.created_at) }}</td><td>{{ tongue.instant(*session.last_used_at) }}</td><td>{% if session.is_current %}{{ tongue.t("この端末", "This one") }}{% else %}{{ form|safe }}{% endif %}</td></tr>{% endfor %}
</tbody></table></div>
<h2>{{ tongue.t("パスワードを変える", "Change the password") }}</h2>
<p class="hint">{{ tongue.t("15文字以上。日本語や空白も使えます。変えると、ほかの端末はサインアウトします。", "At least 15 characters. Every other session ends.") }}</p>
{{ password|safe }}"##
)]
struct Account {
    tongue: Tongue,
    me: MeView,
    switches: Vec<(String, bool, String)>,
    set_up: bool,
    demanded: bool,
    codes_left: i64,
    started: bool,
    confirm: String,
    start: String,
    renew: String,
    remove: String,
    sessions: Vec<(SessionView, String)>,
    password: String,
}

async fn show(page: Page<OwnAccount>) -> Result<HttpResponse, Error> {
    page.show(|conn, view| {
        let me = account::me(conn, &view.ctx)?;
        let factor = second_factor::view(conn, &view.ctx)?;
        let form = |id: &str, path: &str| Form::new(view, id, path, json!({}), Choices::default());
        let mut switches = Vec::new();
        for membership in &me.memberships {
            let switch = form("switch_membership", "/auth/switch")?.then("/");
            let fixed = switch.fixed("membership_id", membership.id);
            let html = format!("{}{fixed}{}", switch.open(), switch.close(view.t("この所属に切り替える", "Switch to this")));
            let role = view.t(membership.role.label_ja(), membership.role.as_str());
            switches.push((format!("{}（{role}）", membership.organisation_name), Some(membership.id) == me.membership_id, html));
        }
        let mut sessions = Vec::new();
        for session in account::list_sessions(conn, &view.ctx)?.items {
            let end = form("end_session", &format!("/auth/sessions/{}/end", session.id))?;
            sessions.push((session, end.button(view.t("サインアウトさせる", "Sign it out"), "quiet")));
        }
        let content = Account {
            tongue: view.tongue,
            switches,
            set_up: factor.set_up,
            demanded: factor.demanded,
            codes_left: factor.recovery_codes_left,
            started: factor.started,
            confirm: if factor.started {
                form("confirm_second_factor", "/auth/second-factor/confirm")?.whole()
            } else {
                String::new()
            },
            start: form("start_second_factor", "/auth/second-factor")?.whole(),
            renew: form("renew_recovery_codes", "/auth/second-factor/recovery-codes")?.whole(),
            remove: form("remove_second_factor", "/auth/second-factor/remove")?.whole(),
            sessions,
            password: form("change_password", "/auth/password")?.whole(),
            me,
        };
        Ok(Sheet::new(view.t("アカウントと安全", "Account and security"), content).narrow())
    })
    .await
}

/// What follows the secret: its QR code, and the form for the first code.
pub fn scan_and_confirm(view: &View, address: &str) -> Result<String, Error> {
    let image = qrcode::QrCode::new(address.as_bytes())
        .map_err(Error::internal)?
        .render::<qrcode::render::svg::Color<'_>>()
        .min_dimensions(200, 200)
        .build();
    let image = image.split_once("?>").map_or(image.as_str(), |(_, svg)| svg);
    let title = view.t("認証アプリで読み取るQRコード", "QR code for the authenticator");
    let image = image.replacen("<svg ", &format!(r#"<svg role="img" aria-label="{title}" "#), 1);
    let confirm = Form::new(view, "confirm_second_factor", "/auth/second-factor/confirm", json!({}), Choices::default())?.whole();
    Ok(format!("<figure>{image}<figcaption>{title}</figcaption></figure>{confirm}"))
}
