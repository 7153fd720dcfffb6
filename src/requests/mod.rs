//! Dispatch requests (派遣申請): writing, submitting, reviewing, joint applicants, messages, attachments. Owns
//! `requests` and its child tables. Must not decide dispatches; `dispatches` does.
//!
//! `model` holds the state table, `rules` the programme's policies, `draft`, `submit`, `review` and
//! `joint` are the use cases in the order of a request's life; `service` is what other areas ask.

pub mod api;
pub mod attachments;
pub mod children;
pub mod content;
pub mod detail;
pub mod draft;
pub mod facts;
pub mod joint;
pub mod list;
pub mod mails;
pub mod media;
pub mod messages;
pub mod model;
pub mod needs;
pub mod page_form;
pub mod page_list;
pub mod page_parts;
pub mod page_rules;
pub mod page_steps;
pub mod page_words;
pub mod pages;
pub mod reminders;
pub mod review;
pub mod rules;
pub mod service;
pub mod store;
pub mod submit;
pub mod thread_api;
pub mod verb_views;
pub mod views;
