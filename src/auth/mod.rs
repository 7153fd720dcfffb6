//! Sign-in: passwords, access and refresh tokens, sessions, API keys, and the table of permissions. Owns `sessions`,
//! `refresh_tokens`, `user_tokens`, `api_clients`. Must not decide what is visible: the areas do.

pub mod account;
pub mod account_pages;
pub mod api;
pub mod changes;
pub mod clients;
pub mod hashing;
pub mod pages;
pub mod passwords;
pub mod policy;
pub mod principal;
pub mod second_factor;
pub mod second_factor_api;
pub mod second_factor_views;
pub mod secrets;
pub mod service;
pub mod sessions;
pub mod tokens;
pub mod totp;
pub mod views;
