//! Plugin versions: what is shipped, what a project adds, and how a request is resolved.
