//! Dispatch requests (派遣申請): writing, submitting, reviewing, joint applicants, messages, attachments. Owns
//! `requests` and its child tables. Must not decide dispatches; `dispatches` does.

pub mod model;
