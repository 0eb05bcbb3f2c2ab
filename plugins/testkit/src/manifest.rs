//! A plugin's manifest, held against what its code does.

use std::collections::BTreeSet;

use serde_json::Value;

/// A parsed `plugin.toml`.
pub struct Manifest(Value);

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Panics
    ///
    /// If it is not TOML.
    pub fn parse(toml: &str) -> Self {
        let table: toml::Table = toml.parse().expect("plugin.toml is TOML");
        Manifest(serde_json::to_value(table).expect("TOML has a JSON form"))
    }

    /// Asserts that every default the schema promises is the default of the code, and that both know the same
    /// settings.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_defaults(&self, defaults: &Value) {
        let schema = &self.0["settings"];
        assert_eq!(
            schema["additionalProperties"],
            Value::Bool(false),
            "a misspelt setting has to be refused"
        );
        let properties = schema["properties"].as_object().expect("settings have properties");
        let known: BTreeSet<&String> = properties.keys().collect();
        let read: BTreeSet<&String> = defaults.as_object().expect("settings are an object").keys().collect();
        assert_eq!(known, read, "the schema and the code know different settings");
        for (name, property) in properties {
            let promised = property.get("default").unwrap_or(&Value::Null);
            assert_eq!(promised, &defaults[name], "default of setting {name}");
        }
    }

    /// Asserts that data is closed under the schema: every key is declared, and every required key is there.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_data(&self, data: &Value) {
        assert_fits(&self.0["data"], data, "data");
    }

    /// The ids of the rules it declares, in order.
    pub fn rules(&self) -> Vec<(String, String)> {
        let rules = self.0["rule"].as_array().cloned().unwrap_or_default();
        let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_string();
        rules.iter().map(|rule| (text(rule, "id"), text(rule, "severity"))).collect()
    }

    /// A top-level value, such as `version`.
    pub fn get(&self, key: &str) -> &Value {
        &self.0[key]
    }
}

#[track_caller]
fn assert_fits(schema: &Value, value: &Value, place: &str) {
    match value {
        Value::Object(object) => {
            let properties = &schema["properties"];
            for (key, inner) in object {
                let declared = properties.get(key);
                assert!(declared.is_some(), "{place}.{key} is not declared");
                assert_fits(declared.unwrap_or(&Value::Null), inner, &format!("{place}.{key}"));
            }
            for required in schema["required"].as_array().into_iter().flatten() {
                let name = required.as_str().unwrap_or_default();
                assert!(object.contains_key(name), "{place}.{name} is required");
            }
        }
        Value::Array(items) => {
            for item in items {
                assert_fits(&schema["items"], item, &format!("{place}[]"));
            }
        }
        _ => {}
    }
}
