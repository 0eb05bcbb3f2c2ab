//! What came, and how it is handed on.

use serde_json::{Value, json};
use tollgate_plugin::{Artifact, Context, Failure, Produced, Woken};

/// The result of a stage whose wait has ended.
pub(crate) fn produced(ctx: &Context, woken: &Woken) -> Result<Produced, Failure> {
    let said_in = |name: &str| woken.by.body.get(name).and_then(Value::as_str);
    let (who, said) = (said_in("who"), said_in("said"));
    let (event, question) = (said_in("name"), said_in("question"));
    let data = woken.by.body.get("data").unwrap_or(&Value::Null);
    let somebody = who.unwrap_or("somebody");
    let summary = match woken.by.kind.as_str() {
        "answer" => format!("{somebody} answered"),
        "approval" => format!("{somebody} approved"),
        "event" => format!("{somebody} said that `{}` happened", event.unwrap_or_default()),
        _ => format!("the time has come: {}", woken.at),
    };
    let produced = Produced::new(summary).data(json!({
        "by": woken.by.kind, "at": woken.at, "who": who, "said": said, "event": event, "data": data,
    }))?;
    let signed = format!("{}\n\n{somebody}, {}\n", said.unwrap_or_default(), woken.at);
    let artifact = match woken.by.kind.as_str() {
        "answer" => {
            let text = format!("# Question\n\n{}\n\n# Answer\n\n{signed}", question.unwrap_or_default());
            Some(ctx.write_text("answer.md", "text/markdown", &text)?)
        }
        "approval" => {
            Some(ctx.write_text("approval.md", "text/markdown", &format!("# Approval\n\n{signed}"))?)
        }
        "event" => Some(event_file(ctx, data)?),
        _ => None,
    };
    Ok(artifact.into_iter().fold(produced, Produced::artifact))
}

fn event_file(ctx: &Context, data: &Value) -> Result<Artifact, Failure> {
    Ok(ctx.write_text("event.json", "application/json", &format!("{data:#}\n"))?)
}
