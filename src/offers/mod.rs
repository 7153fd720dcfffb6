//! Candidates, offers to experts (専門家への依頼) and their answers. Owns `offers` and `offer_visits`, and makes the held
//! visits that an acceptance leaves behind; from the decision on, visits belong to dispatches. Who fits is decided by
//! `matching`, how much an expert can carry by `experts`; this room only asks them.

pub mod answer;
pub mod api;
pub mod ask_pages;
pub mod candidate_load;
pub mod candidate_pages;
pub mod candidates;
pub mod decide_pages;
pub mod desk_pages;
pub mod holds;
pub mod jobs;
pub mod link;
pub mod mails;
pub mod model;
pub mod near;
pub mod pages;
pub mod service;
pub mod standing;
pub mod store;
pub mod views;
