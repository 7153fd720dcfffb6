//! The page behind the one-time link of an offer: it shows what is asked, and only its button answers. Opening it
//! changes nothing, so a mail scanner that follows links accepts nothing.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use serde::Deserialize;

use super::link::{self, LinkAnswer, LinkAnswerBody, LinkOfferView};
use super::model::{DeclineReason, OfferStatus};
use super::views::{OfferVisitBody, OfferVisitView};
use crate::app::App;
use crate::calendar::wareki;
use crate::error::{Error, ErrorCode, Locale};
use crate::http::public::Call;
use crate::web::layout::{Message, Page};
use crate::web::session;

/// Most bytes of an answer: a note of 2,000 characters takes 18,000 as a form writes it.
const MOST_TYPED: usize = 64 * 1024;

/// Registers the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/offers/answer")
            .app_data(web::FormConfig::default().limit(MOST_TYPED))
            .route(web::get().to(show))
            .route(web::post().to(answer)),
    );
}

/// A visit as the page shows it.
struct VisitLine {
    when: String,
    length: String,
    mode: &'static str,
    place: String,
    day: String,
    start: String,
}

impl From<&OfferVisitView> for VisitLine {
    fn from(visit: &OfferVisitView) -> Self {
        let clock = |minute: i32| format!("{}:{:02}", minute / 60, minute % 60);
        let when = match (visit.day, visit.start_minute) {
            (Some(day), Some(start)) => format!("{} {}〜{}", wareki(day), clock(start), clock(start + visit.minutes)),
            _ => "日時は調整".to_owned(),
        };
        let length =
            if visit.minutes % 60 == 0 { format!("{}時間", visit.minutes / 60) } else { format!("{}分", visit.minutes) };
        Self {
            when,
            length,
            mode: visit.mode.label_ja(),
            place: visit.place.clone(),
            day: visit.day.map(|day| day.to_string()).unwrap_or_default(),
            start: visit.start_minute.map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60)).unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1>派遣のご依頼</h1>
{% if !problems.is_empty() %}<div class="notice bad" role="alert"><h2>回答を受け付けられませんでした</h2><ul>{% for problem in problems %}<li>{{ problem }}</li>{% endfor %}</ul></div>{% endif %}
<p>{{ expert }} 様</p>
<p>{{ applicant }}への派遣をお願いしたく、ご都合をお知らせください。</p>
<dl class="facts">
<dt>派遣先</dt><dd>{{ applicant }}</dd>
<dt>内容</dt><dd>{{ theme }}</dd>
<dt>回答期限</dt><dd>{{ until }}</dd>
{% if !message.is_empty() %}<dt>事務局から</dt><dd>{{ message }}</dd>{% endif %}
</dl>
<h2>訪問の予定</h2>
<div class="scroll" tabindex="0" role="region" aria-label="訪問の予定"><table><thead><tr><th scope="col">日時</th><th scope="col">時間</th><th scope="col">方法</th><th scope="col">場所</th></tr></thead><tbody>
{% for visit in visits %}<tr><td>{{ visit.when }}</td><td>{{ visit.length }}</td><td>{{ visit.mode }}</td><td>{{ visit.place }}</td></tr>{% endfor %}
</tbody></table></div>
<form method="post" action="/offers/answer">
<input type="hidden" name="token" value="{{ token }}">
<fieldset><legend>回答</legend>
<label class="choice"><input type="radio" name="answer" value="accept" required{% if chosen == "accept" %} checked{% endif %}> 引き受ける</label>
<label class="choice"><input type="radio" name="answer" value="propose_dates"{% if chosen == "propose_dates" %} checked{% endif %}> 別の日時なら引き受けられる（下に日時を入力）</label>
<label class="choice"><input type="radio" name="answer" value="decline"{% if chosen == "decline" %} checked{% endif %}> 引き受けられない（下で理由を選択）</label>
</fieldset>
<fieldset><legend>別の日時（「別の日時なら」を選んだ場合）</legend>
{% for visit in visits %}<label for="day{{ loop.index0 }}">{{ loop.index }}回目の日</label><input id="day{{ loop.index0 }}" type="date" name="day{{ loop.index0 }}" value="{{ visit.day }}">
<label for="start{{ loop.index0 }}">{{ loop.index }}回目の開始時刻</label><input id="start{{ loop.index0 }}" type="time" name="start{{ loop.index0 }}" value="{{ visit.start }}">{% endfor %}
</fieldset>
<label for="reason">引き受けられない理由（「引き受けられない」を選んだ場合）</label>
<select id="reason" name="reason_code"><option value="">選んでください</option>{% for reason in reasons %}<option value="{{ reason.as_str() }}"{% if reason.as_str() == reason_code %} selected{% endif %}>{{ reason.label_ja() }}</option>{% endfor %}</select>
<label for="note">事務局への連絡（任意）</label>
<textarea id="note" name="note" maxlength="2000">{{ note }}</textarea>
<p class="actions"><button>この内容で回答する</button></p>
</form>"#
)]
struct AnswerPage {
    problems: Vec<String>,
    expert: String,
    applicant: String,
    theme: String,
    message: String,
    until: String,
    visits: Vec<VisitLine>,
    token: String,
    chosen: String,
    reason_code: String,
    note: String,
    reasons: &'static [DeclineReason],
}

#[derive(Deserialize)]
struct TokenQuery {
    token: Option<String>,
}

fn instant(at: Option<crate::clock::UtcTime>) -> String {
    at.map(|at| format!("{} {}", wareki(at.jst_day()), at.jst().format("%-H:%M"))).unwrap_or_default()
}

fn form(view: &LinkOfferView, token: &str, typed: &HashMap<String, String>, problems: Vec<String>) -> Option<AnswerPage> {
    let offer = view.offer.as_ref().filter(|_| view.status == OfferStatus::Sent)?;
    let text = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let mut visits: Vec<VisitLine> = offer.visits.iter().map(VisitLine::from).collect();
    for (index, visit) in visits.iter_mut().enumerate() {
        if let Some(day) = typed.get(&format!("day{index}")) {
            visit.day.clone_from(day);
        }
        if let Some(start) = typed.get(&format!("start{index}")) {
            visit.start.clone_from(start);
        }
    }
    Some(AnswerPage {
        problems,
        expert: offer.expert_name.clone(),
        applicant: offer.applicant_name.clone(),
        theme: offer.theme.clone(),
        message: offer.message.clone(),
        until: instant(view.expires_at),
        visits,
        token: token.to_owned(),
        chosen: text("answer"),
        reason_code: text("reason_code"),
        note: text("note"),
        reasons: DeclineReason::ALL,
    })
}

fn standing(app: &App, view: &LinkOfferView) -> Result<HttpResponse, Error> {
    let (heading, text) = match view.status {
        OfferStatus::Accepted => (
            "承諾をお受けしました",
            format!("{}に承諾の回答をいただいています。決定の通知をお待ちください。", instant(view.answered_at)),
        ),
        OfferStatus::Declined => ("ご辞退を承りました", "ご連絡ありがとうございました。".to_owned()),
        OfferStatus::DatesProposed => ("別の日時のご提案をお受けしました", "事務局から、あらためてご連絡します。".to_owned()),
        OfferStatus::Expired => {
            ("回答期限を過ぎています", format!("期限は{}でした。事務局へご連絡ください。", instant(view.expires_at)))
        }
        _ => ("この依頼は取り消されました", "ご不明な点は事務局へご連絡ください。".to_owned()),
    };
    Page::open(heading).render(app, &Message { heading, text: &text, link: None })
}

fn unknown(app: &App) -> Result<HttpResponse, Error> {
    let heading = "リンクが正しくありません";
    let text =
        "メールに記載のアドレス全体を開いてください。期限の過ぎたリンクや、新しいリンクが届いた後の古いリンクは使えません。";
    Page::open(heading).status(StatusCode::NOT_FOUND).render(app, &Message { heading, text, link: None })
}

async fn load(app: &web::Data<App>, request: &HttpRequest, token: &str) -> Result<Option<LinkOfferView>, Error> {
    let call = Call::new(Arc::clone(app), request);
    call.limit("offer-link", token, link::ATTEMPTS_A_MINUTE)?;
    let token = token.to_owned();
    match call.read(move |conn, call| link::view(conn, &token, call.now)).await {
        Ok(view) => Ok(Some(view)),
        Err(error) if error.code == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn show(app: web::Data<App>, request: HttpRequest, query: web::Query<TokenQuery>) -> Result<HttpResponse, Error> {
    let token = query.into_inner().token.unwrap_or_default();
    let Some(view) = load(&app, &request, &token).await? else { return unknown(&app) };
    match form(&view, &token, &HashMap::new(), Vec::new()) {
        Some(page) => Page::open("派遣のご依頼").render(&app, &page),
        None => standing(&app, &view),
    }
}

async fn answer(
    app: web::Data<App>,
    request: HttpRequest,
    typed: web::Form<HashMap<String, String>>,
) -> Result<HttpResponse, Error> {
    session::same_site(&request, &app)?;
    let typed = typed.into_inner();
    let token = typed.get("token").cloned().unwrap_or_default();
    let Some(view) = load(&app, &request, &token).await? else { return unknown(&app) };
    if view.status != OfferStatus::Sent {
        return standing(&app, &view);
    }
    let outcome = match body(&view, &typed) {
        Ok(body) => {
            let call = Call::new(Arc::clone(&app), &request);
            let token = token.clone();
            call.write(move |conn, call| link::answer(conn, call, &token, body.clone())).await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(view) => standing(&app, &view),
        Err(error) if error.code.status().is_client_error() => {
            let problems = if error.fields.is_empty() {
                vec![error.problem(Locale::Ja, None, None).detail]
            } else {
                error.fields.iter().map(|field| field.detail.ja.to_string()).collect()
            };
            match form(&view, &token, &typed, problems) {
                Some(page) => Page::open("派遣のご依頼").status(error.code.status()).render(&app, &page),
                None => standing(&app, &view),
            }
        }
        Err(error) => Err(error),
    }
}

/// The answer of the form in the words of the API.
fn body(view: &LinkOfferView, typed: &HashMap<String, String>) -> Result<LinkAnswerBody, Error> {
    let text = |name: &str| typed.get(name).map(String::as_str).unwrap_or_default();
    let wrong = |pointer: &str, ja: &'static str, en: &'static str| {
        Error::new(ErrorCode::ValidationFailed).field(pointer.to_owned(), "required", ja, en)
    };
    let note = text("note").to_owned();
    match text("answer") {
        "accept" => Ok(LinkAnswerBody { answer: LinkAnswer::Accept, reason_code: None, note, visits: None }),
        "decline" => {
            let reason = text("reason_code")
                .parse()
                .map_err(|_| wrong("/reason_code", "引き受けられない理由を選んでください", "Choose a reason"))?;
            Ok(LinkAnswerBody { answer: LinkAnswer::Decline, reason_code: Some(reason), note, visits: None })
        }
        "propose_dates" => {
            let asked = view.offer.as_ref().map(|offer| offer.visits.as_slice()).unwrap_or_default();
            let mut visits = Vec::new();
            for (index, visit) in asked.iter().enumerate() {
                let (day, start) = (text(&format!("day{index}")), text(&format!("start{index}")));
                let unreadable =
                    || wrong(&format!("/visits/{index}/day"), "別の日と開始時刻を入力してください", "Enter day and start");
                let day: NaiveDate = day.parse().map_err(|_| unreadable())?;
                let (hours, minutes) = start.split_once(':').ok_or_else(unreadable)?;
                let (hours, minutes): (i32, i32) =
                    (hours.parse().map_err(|_| unreadable())?, minutes.parse().map_err(|_| unreadable())?);
                if !(0..24).contains(&hours) || !(0..60).contains(&minutes) {
                    return Err(unreadable());
                }
                visits.push(OfferVisitBody {
                    day: Some(day),
                    start_minute: Some(hours * 60 + minutes),
                    minutes: visit.minutes,
                    mode: visit.mode,
                    place: visit.place.clone(),
                });
            }
            Ok(LinkAnswerBody { answer: LinkAnswer::ProposeDates, reason_code: None, note, visits: Some(visits) })
        }
        _ => Err(wrong("/answer", "回答を選んでください", "Choose an answer")),
    }
}
