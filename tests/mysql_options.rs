//! The options of a connection and a pool: three forms that mean the same, and a page that tells the truth about them.

#[path = "mysql_options/forms.rs"]
mod forms;
#[path = "mysql_options/page.rs"]
mod page;
