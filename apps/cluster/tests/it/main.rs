//! The distributed engine from outside: a scheduler and workers as processes on loopback, a lake, and plans that
//! must give there what they give here.

mod failures;
mod functions;
mod nodes;
mod products;
mod world;
