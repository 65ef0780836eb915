import TestSupport
import Testing

/// The optimizers' suites hang here.
@Suite(.takesTurns) enum NeuralTests {}
