//! The models of a project, resolved.

use std::{collections::BTreeMap, time::Duration};

use tollgate_core::model::{KeySource, ModelSpec, PinnedModel, TokenPrice};
use url::{Host, Url};

use super::{name, not_blank};
use crate::{
    project::{KeyTable, ModelTable, PriceTable},
    source_map::{Place, Report, is_variable_name},
    units,
};

/// The longest reply that may be asked for where nothing is said, in tokens.
pub(crate) const MAX_TOKENS_DEFAULT: u32 = 4_096;

/// How long a reply may take where nothing is said.
pub(crate) const TIMEOUT_DEFAULT: Duration = Duration::from_secs(120);

pub(super) fn resolve(
    tables: BTreeMap<String, ModelTable>,
    place: &Place<'_>,
    report: &mut Report,
) -> BTreeMap<String, ModelSpec> {
    let resolve = |(name, table): (String, ModelTable)| {
        let spec = model(&name, table, &place.key(&name), report)?;
        Some((name, spec))
    };
    tables.into_iter().filter_map(resolve).collect()
}

fn model(model_name: &str, table: ModelTable, place: &Place<'_>, report: &mut Report) -> Option<ModelSpec> {
    name(model_name, "model", place, report);
    not_blank(&table.model, &place.key("model"), report);
    if let Some(url) = &table.base_url {
        base_url(url, table.key.is_some(), &place.key("base_url"), report);
    }
    let timeout = table.timeout.as_ref();
    let timeout = timeout.and_then(|text| report.take(&place.key("timeout"), units::positive_duration(text)));
    let key = table.key.map(|table| key(table, &place.key("key"), report));
    let price = price(&table.price, &place.key("price"), report)?;
    Some(ModelSpec {
        provider: table.provider,
        base_url: table.base_url,
        key: key.unwrap_or_default(),
        timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
        pinned: PinnedModel {
            model: table.model,
            price,
            max_tokens: table.max_tokens.unwrap_or(MAX_TOKENS_DEFAULT),
        },
    })
}

/// A place that requests can be sent to, and a key without being read on the way.
fn base_url(text: &str, has_key: bool, place: &Place<'_>, report: &mut Report) {
    let example = || Some("e.g. `https://models.example.com/v1`".to_owned());
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => {
            return report.error(place, "expected a URL that begins with `https://` or `http://`", example());
        }
    };
    if url.password().is_some()
        || !url.username().is_empty()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return report.error(
            place,
            "expected a place alone, without a name, password, query or fragment",
            example(),
        );
    }
    if url.scheme() == "http" && has_key && !is_this_machine(&url) {
        let help = Some("use `https://`; plain `http://` with a key is for this machine alone".into());
        report.error(place, "the key could be read on its way", help);
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn key(table: KeyTable, place: &Place<'_>, report: &mut Report) -> Option<KeySource> {
    match (table.env, table.file) {
        (Some(variable), None) if is_variable_name(&variable) => Some(KeySource::Environment(variable)),
        (Some(_), None) => {
            // It may be the key itself, so it is not repeated.
            let help = Some("letters, digits and `_`, e.g. `ANTHROPIC_API_KEY`".into());
            report.error(&place.key("env"), "expected the name of an environment variable", help);
            None
        }
        (None, Some(file)) => {
            not_blank(&file, &place.key("file"), report);
            Some(KeySource::File(file.into()))
        }
        _ => {
            report.error(place, "expected either `env` or `file`", None);
            None
        }
    }
}

fn price(table: &PriceTable, place: &Place<'_>, report: &mut Report) -> Option<TokenPrice> {
    let input = report.take(&place.key("input"), units::token_price(&table.input));
    let output = report.take(&place.key("output"), units::token_price(&table.output));
    Some(TokenPrice { input_per_million: input?, output_per_million: output? })
}
