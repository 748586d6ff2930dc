//! `/metrics`: exact figures after known requests, who may read them, and that Prometheus and Grafana can.

mod access;
mod dashboard;
mod figures;
mod scrape;

use scrape::Scrape;
