//! Clients that are broken, or mean it: refused cheaply, while everybody else is served.

mod crowd;
mod documents;
mod heads;
mod pipelined;
mod slow;
mod smuggling;
