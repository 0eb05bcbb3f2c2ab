//! Where a database is, and what is asked of the line to it.
//!
//! `sslmode` and `sslrootcert` mean what they mean to `libpq`: `prefer`, the default, and `require` hide what is said from listeners,
//! `verify-ca` asks for a certificate by somebody who is trusted, `verify-full` for the server's own name in it as well. Trusted are those
//! in the file `sslrootcert`, or without it those that the machine trusts.

use std::{fmt, str::FromStr, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{StoreError, port::Result};

/// Where a database is.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    /// For people: without a password.
    pub(super) location: String,
}

/// What is asked of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Anybody,
    Issuer,
    IssuerAndName,
}

impl Address {
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the address cannot be read, or the certificates that it names.
    pub(super) fn parse(address: &str) -> Result<Self> {
        let (rest, mode) = take(address, "sslmode");
        let (rest, roots) = take(&rest, "sslrootcert");
        let (mode, trust) = match (mode.as_deref(), &roots) {
            (Some("disable"), _) => (SslMode::Disable, Trust::Anybody),
            (None | Some("prefer" | "allow"), _) => (SslMode::Prefer, Trust::Anybody),
            (Some("require"), None) => (SslMode::Require, Trust::Anybody),
            (Some("verify-ca"), _) | (Some("require"), Some(_)) => (SslMode::Require, Trust::Issuer),
            (Some("verify-full"), _) => (SslMode::Require, Trust::IssuerAndName),
            (Some(other), _) => {
                return Err(unreadable(format!(
                    "`sslmode={other}` is none of disable, prefer, require, verify-ca and verify-full"
                )));
            }
        };
        // What is wrong is told without the address: a password may stand in it.
        let mut config = Config::from_str(&rest).map_err(unreadable)?;
        config.ssl_mode(mode);
        let tls = tls(trust, roots.as_deref()).map_err(unreadable)?;
        Ok(Self { location: location(&config), config, tls: MakeRustlsConnect::new(tls) })
    }
}

fn unreadable(error: impl fmt::Display) -> StoreError {
    StoreError::Conflict(format!("the address of the store's database cannot be read: {error}"))
}

/// An address without one of its settings, and that setting.
fn take(address: &str, name: &str) -> (String, Option<String>) {
    let is_url = address.starts_with("postgres://") || address.starts_with("postgresql://");
    let is_between = |c: char| if is_url { c == '?' || c == '&' } else { c.is_whitespace() };
    let assigned = format!("{name}=");
    let found = address.match_indices(&assigned).map(|(at, _)| at);
    let mut whole = found.filter(|&at| at == 0 || address[..at].ends_with(is_between));
    let Some(at) = whole.next() else { return (address.to_owned(), None) };
    let value = &address[at + assigned.len()..];
    let length = value.find(is_between).unwrap_or(value.len());
    let (value, after) = value.split_at(length);
    // What follows takes its place.
    let rest = format!("{}{}", &address[..at], after.trim_start_matches(is_between));
    let rest = rest.trim_end_matches(['?', '&']).to_owned();
    (rest, Some(value.replace("%2F", "/").replace("%2f", "/")))
}

fn location(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgres://{host}:{port}/{}", config.get_dbname().unwrap_or_default())
}

fn tls(trust: Trust, roots: Option<&str>) -> std::result::Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    if trust == Trust::IssuerAndName {
        return Ok(builder.with_root_certificates(trusted(roots)?).with_no_client_auth());
    }
    let issuer = match trust {
        Trust::Anybody => None,
        Trust::Issuer | Trust::IssuerAndName => {
            let roots = Arc::new(trusted(roots)?);
            let issuer = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(issuer.map_err(|e| e.to_string())?)
        }
    };
    let verifier = Arc::new(WhateverItsName { issuer, provider });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn trusted(file: Option<&str>) -> std::result::Result<RootCertStore, String> {
    let mut trusted = RootCertStore::empty();
    match file {
        None | Some("system") => {
            trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let failed = |error: &dyn fmt::Display| format!("`sslrootcert`: {path}: {error}");
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| failed(&e))? {
                trusted.add(certificate.map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
            }
        }
    }
    match trusted.is_empty() {
        true => Err("there is no certificate to trust; name a file as `sslrootcert`".into()),
        false => Ok(trusted),
    }
}

/// Takes a certificate whatever name stands in it: by anybody, or by an issuer who is trusted.
#[derive(Debug)]
struct WhateverItsName {
    issuer: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for WhateverItsName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        let Some(issuer) = &self.issuer else { return Ok(ServerCertVerified::assertion()) };
        match issuer.verify_server_cert(certificate, between, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, rest: &str, value: Option<&str>) {
        assert_eq!(take(address, "sslmode"), (rest.to_owned(), value.map(str::to_owned)));
    }

    #[test]
    fn a_setting_is_taken_out_of_an_address() {
        check("postgres://host/db", "postgres://host/db", None);
        check("postgres://host/db?sslmode=require", "postgres://host/db", Some("require"));
        check("postgres://host/db?sslmode=require&a=b", "postgres://host/db?a=b", Some("require"));
        check("postgres://host/db?a=b&sslmode=require", "postgres://host/db?a=b", Some("require"));
        check("postgres://sslmode=x@host/db", "postgres://sslmode=x@host/db", None);
        check("host=a sslmode=disable user=b", "host=a user=b", Some("disable"));
        check("sslmode=disable", "", Some("disable"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_telling_it() {
        for address in
            ["postgres://me:secret@host/db?sslmode=perhaps", "postgres://me:secret@host/db?no=such"]
        {
            let Err(StoreError::Conflict(text)) = Address::parse(address) else { panic!("{address} is one") };
            assert!(!text.contains("secret"), "{text}");
        }
        assert!(Address::parse("postgres://host/db?sslmode=verify-full&sslrootcert=/nowhere.pem").is_err());
    }
}
