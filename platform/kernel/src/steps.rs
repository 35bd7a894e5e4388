//! Named steps between two effects, so that a test can end the process at each of them.

/// Is told of every step that has an effect outside the process.
pub trait Steps: Send + Sync {
    /// About to go past `name`. A test's implementation may abort the process here.
    fn step(&self, name: &'static str);
}

/// Says nothing: what production uses.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSteps;

impl Steps for NoSteps {
    fn step(&self, _name: &'static str) {}
}
