//! Access tokens: short-lived JWTs (HS256, pinned) that name a session and nothing else; rights are read from the
//! database at each request.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::secrets;
use crate::clock::UtcTime;
use crate::config::AuthConfig;
use crate::error::{Error, ErrorCode};
use crate::ids::SessionId;

/// `typ` of access tokens (RFC 9068), so that no other token can stand in for one.
const TYPE: &str = "at+jwt";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

struct Key {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The keys in use and the rules a token must meet.
pub struct TokenKeys {
    keys: Vec<Key>,
    issuer: String,
    audience: String,
    minutes: i64,
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKeys").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl TokenKeys {
    /// The current key first, then the previous one if it is set.
    pub fn new(config: &AuthConfig) -> Self {
        let keys = [&config.signing_key, &config.previous_signing_key]
            .into_iter()
            .map(|secret| secret.expose_secret().as_bytes())
            .filter(|secret| !secret.is_empty())
            .map(|secret| Key {
                id: secrets::sha256(secret).chars().take(16).collect(),
                encoding: EncodingKey::from_secret(secret),
                decoding: DecodingKey::from_secret(secret),
            })
            .collect();
        Self { keys, issuer: config.issuer.clone(), audience: config.audience.clone(), minutes: config.access_token_minutes }
    }

    /// A token for a session and the number of seconds it works.
    pub fn issue(&self, session: SessionId, now: UtcTime) -> Result<(String, i64), Error> {
        let key = self.keys.first().ok_or_else(|| Error::internal("no signing key"))?;
        let issued = now.instant().timestamp();
        let seconds = self.minutes * 60;
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.id.clone());
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: session.to_string(),
            iat: issued,
            nbf: issued,
            exp: issued + seconds,
        };
        jsonwebtoken::encode(&header, &claims, &key.encoding).map(|token| (token, seconds)).map_err(Error::internal)
    }

    /// The session a token names. Every kind of wrong token gets the same answer.
    pub fn verify(&self, token: &str, now: UtcTime) -> Result<SessionId, Error> {
        let refuse = |cause: &str| Error::new(ErrorCode::Unauthenticated).caused_by(cause);
        if token.len() > 4_096 {
            return Err(refuse("token too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| refuse("not a token"))?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(refuse("wrong type"));
        }
        let key = self.keys.iter().find(|key| header.kid.as_deref() == Some(&key.id)).ok_or_else(|| refuse("unknown key"))?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        // The service's clock decides, not the machine's: both are checked below.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &rules).map_err(|_| refuse("wrong token"))?.claims;
        let seconds = now.instant().timestamp();
        if claims.exp <= seconds || claims.nbf > seconds + 5 {
            return Err(refuse("expired or not yet valid"));
        }
        claims.sub.parse().map_err(|_| refuse("wrong subject"))
    }
}
