//! The form of a visit's trip: days and nights, the ways travelled in a table, lodging. The travel rule of the day of
//! departure says what of it is paid.

use std::fmt::Write as _;

use serde_json::json;

use crate::dispatches::page_parts;
use crate::dispatches::visit_views::VisitView;
use crate::error::Error;
use crate::web::choices::{Choice, Choices};
use crate::web::form::Form;
use crate::web::page::View;
use crate::web::tongue::esc;

/// What the form is sent to.
const OPERATION: &str = "create_trip";
/// Ways there and back with a change each.
const LEGS: usize = 4;

/// What is in the fields: what was typed wins.
struct Fields<'a> {
    view: &'a View,
    path: String,
    refused: bool,
}

impl Fields<'_> {
    fn value(&self, pointer: &str, otherwise: &str) -> String {
        match self.view.typed.as_ref().filter(|_| self.refused) {
            Some(typed) => typed.value(pointer).unwrap_or_default().to_owned(),
            None => otherwise.to_owned(),
        }
    }

    fn wrong(&self, pointer: &str) -> String {
        let typed = self.view.typed.as_ref().filter(|_| self.refused);
        let errors = typed.iter().flat_map(|typed| typed.errors_at(pointer));
        let words: Vec<String> = errors.map(|error| esc(self.view.tongue.words(&error.detail))).collect();
        if words.is_empty() { String::new() } else { format!(r#"<p class="error">{}</p>"#, words.join("<br>")) }
    }

    fn id(&self, pointer: &str) -> String {
        page_parts::field_id(OPERATION, &self.path, pointer)
    }

    /// A number that stands in a table.
    fn cell(&self, pointer: &str, label: &str) -> String {
        format!(
            r#"<input type="text" inputmode="numeric" class="number" id="{}" name="{pointer}" value="{}" aria-label="{label}" autocomplete="off">{}"#,
            self.id(pointer),
            esc(&self.value(pointer, "")),
            self.wrong(pointer)
        )
    }

    /// A box to tick.
    fn tick(&self, pointer: &str, label: &str, seen: bool) -> String {
        let checked = if self.value(pointer, "false") == "true" { " checked" } else { "" };
        let id = self.id(pointer);
        let aria = if seen { String::new() } else { format!(r#" aria-label="{label}""#) };
        let input = format!(r#"<input type="checkbox" id="{id}" name="{pointer}" value="true"{checked}{aria}>"#);
        if seen {
            format!(r#"<div class="field"><label class="choice">{input} <span>{label}</span></label></div>"#)
        } else {
            input
        }
    }

    /// A field with its label.
    fn field(&self, pointer: &str, kind: &str, label: &str, hint: &str, otherwise: &str, must: bool) -> String {
        let (id, required) = (self.id(pointer), if must { " required" } else { "" });
        let hint_id = format!("{id}-hint");
        let (hint, described) = if hint.is_empty() {
            (String::new(), String::new())
        } else {
            (format!(r#"<p class="hint" id="{hint_id}">{hint}</p>"#), format!(r#" aria-describedby="{hint_id}""#))
        };
        let kind = if kind == "number" { r#"type="text" inputmode="numeric" class="number""# } else { r#"type="date""# };
        format!(
            r#"<div class="field"><label for="{id}">{label}</label>{hint}{}<input {kind} id="{id}" name="{pointer}" value="{}"{described}{required} autocomplete="off"></div>"#,
            self.wrong(pointer),
            esc(&self.value(pointer, otherwise))
        )
    }

    /// The fields of what something cost, in a row of a table.
    fn expense(&self, pointer: &str, what: &str) -> String {
        let t = self.view.tongue;
        let at = |name: &str| format!("{pointer}/{name}");
        format!(
            "<td>{}</td><td>{}</td><td>{}</td>",
            self.cell(&at("yen"), &format!("{what} {}", t.t("金額（円）", "yen"))),
            self.tick(&at("paid_directly"), &format!("{what} {}", t.t("業者への直接払", "paid to the carrier or hotel")), false),
            self.cell(&at("not_refunded"), &format!("{what} {}", t.t("払戻しのない額（円）", "not refunded, yen")))
        )
    }
}

/// The form, and whether it comes back with what was wrong.
pub fn form(view: &View, visit: &VisitView) -> Result<(String, bool), Error> {
    let t = view.tongue;
    let path = format!("/visits/{}/trip", visit.id);
    let form = Form::new(view, OPERATION, path.clone(), json!({}), Choices::default())?;
    let fields = Fields { view, path, refused: form.refused() };
    let day = visit.day.map(|day| day.to_string()).unwrap_or_default();
    let mut rows = String::new();
    for index in 0..LEGS {
        rows.push_str(&leg(&fields, index));
    }
    for (name, ja, en) in [
        ("lodging", "宿泊費（全泊分）", "Lodging, all nights"),
        ("package", "パック料金（交通＋宿泊）", "Package of fare and lodging"),
    ] {
        let what = t.t(ja, en);
        let _ = write!(
            rows,
            r#"<tr><th scope="row" colspan="2">{what}{1}</th>{0}</tr>"#,
            fields.expense(&format!("/trip/{name}"), what),
            fields.wrong(&format!("/trip/{name}"))
        );
    }
    let html = format!(
        r#"{}{}{}{}{}<div class="scroll" tabindex="0" role="region" aria-label="{5}"><table><caption>{5}{6}</caption><thead><tr><th scope="col">{7}</th><th scope="col">km</th><th scope="col">{8}</th><th scope="col">{9}</th><th scope="col">{10}</th></tr></thead><tbody>{rows}</tbody></table></div>{11}{12}{13}"#,
        form.open(),
        fields.field(
            "/trip/departs_on",
            "date",
            t.t("出発日", "Day of departure"),
            t.t("この日の旅費の規則で計算します。", "The travel rule of this day applies."),
            &day,
            true
        ),
        fields.field("/trip/days", "number", t.t("日数", "Days away"), "", "1", true),
        fields.field("/trip/nights", "number", t.t("泊数", "Nights away"), "", "0", true),
        fields.field(
            "/trip/stays_in",
            "number",
            t.t("宿泊地の都道府県コード", "Prefecture of the stay (code)"),
            t.t(
                "泊まるときだけ。団体コードの先頭2桁（静岡県は22）。",
                "Only with nights: first two digits of the code (22 is Shizuoka)."
            ),
            "",
            false
        ),
        t.t("かかった費用", "What it cost"),
        t.t(
            "（使わない行は空のままで構いません。距離は自家用車のときだけ）",
            " (leave rows blank that you do not need; km for one's own car)"
        ),
        t.t("手段", "By"),
        t.t("金額（円）", "Yen"),
        t.t("直接払", "Paid directly"),
        t.t("払戻しなし（円）", "Not refunded"),
        fields.tick(
            "/trip/paid_by_employer",
            t.t("所属先が旅費を支給する（重ねて払わない）", "The employer pays for the trip"),
            true
        ),
        fields.tick(
            "/trip/cancelled",
            t.t("取りやめた出張（払戻しのない額だけを払う）", "The trip was given up (only what was not refunded is paid)"),
            true
        ),
        form.close(t.t("旅費を確定する", "Enter the trip"))
    );
    Ok((html, fields.refused))
}

fn leg(fields: &Fields<'_>, index: usize) -> String {
    let t = fields.view.tongue;
    let at = |name: &str| format!("/trip/legs/{index}/{name}");
    let modes: Vec<Choice> = [
        ("rail", "鉄道", "Rail"),
        ("road", "バス・タクシー", "Bus, taxi"),
        ("car", "自家用車", "Own car"),
        ("ship", "船", "Ship"),
        ("air", "航空機", "Air"),
    ]
    .iter()
    .map(|(value, ja, en)| ((*value).to_owned(), t.t(ja, en).to_owned()))
    .collect();
    let number = index + 1;
    let what = if t.english() { format!("Way {number}") } else { format!("経路{number}") };
    let mode = at("mode");
    let chosen = fields.value(&mode, "");
    let select = page_parts::select(&fields.id(&mode), &mode, &what, &modes, &chosen).replacen(
        "<select ",
        &format!(r#"<select aria-label="{what} {}" "#, t.t("手段", "by")),
        1,
    );
    format!(
        "<tr><td>{select}{}</td><td>{}</td>{}</tr>",
        fields.wrong(&mode),
        fields.cell(&at("km"), &format!("{what} km")),
        fields.expense(&at("expense"), &what)
    )
}
