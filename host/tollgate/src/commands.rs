//! The commands: a file each, with its arguments and what it does.

pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod init;

pub(crate) mod answer;
pub(crate) mod approve;
pub(crate) mod escalations;
pub(crate) mod reject;

pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod stop;

pub(crate) mod backlog;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod why;

pub(crate) mod audit;
pub(crate) mod plugin;
pub(crate) mod store;

pub(crate) mod event;
pub(crate) mod help_markdown;
pub(crate) mod help_schemas;
