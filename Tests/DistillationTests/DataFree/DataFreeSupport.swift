import Foundation
import Neural
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// The classifier of scripts/fixtures/data_free.py.
final class TinyTeacher: Classifier {
    let conv1: Conv2d
    let bn1: BatchNorm
    let conv2: Conv2d
    let bn2: BatchNorm
    let fc: Linear

    init(generator: Generator) {
        conv1 = Conv2d(3, 4, kernel: 3, padding: 1, bias: false, generator: generator)
        bn1 = BatchNorm(4)
        conv2 = Conv2d(4, 5, kernel: 3, stride: 2, padding: 1, bias: false, generator: generator)
        bn2 = BatchNorm(5)
        fc = Linear(5, 3, generator: generator)
    }

    var head: Linear { fc }
    var foldablePairs: [FoldablePair] { [(conv1, bn1), (conv2, bn2)] }

    func features(_ x: Tensor, mode: Mode) -> Tensor {
        let h = bn1(conv1(x), mode: mode).relu()
        return bn2(conv2(h), mode: mode).relu().globalAverage() * 4
    }

    func fresh(generator: Generator) -> TinyTeacher { TinyTeacher(generator: generator) }
}

/// The same without batch norm.
final class PlainTeacher: Classifier {
    let conv1: Conv2d
    let fc: Linear

    init(generator: Generator) {
        conv1 = Conv2d(3, 4, kernel: 3, padding: 1, generator: generator)
        fc = Linear(4, 3, generator: generator)
    }

    var head: Linear { fc }
    func features(_ x: Tensor, mode: Mode) -> Tensor { conv1(x).relu().globalAverage() }
    func fresh(generator: Generator) -> PlainTeacher { PlainTeacher(generator: generator) }
}

/// Teacher, student and options small enough for a test.
struct TinyContext {
    static let shape = [3, 10, 7]
    let teacher: TinyTeacher
    let student: TinyTeacher

    init(fixture: FixtureFile? = nil) throws {
        teacher = TinyTeacher(generator: Generator(seed: 1))
        student = TinyTeacher(generator: Generator(seed: 2))
        guard let fixture else { return }
        try load(teacher, from: fixture, "step.teacher.")
        try load(student, from: fixture, "step.student.")
    }

    static func options(_ method: SynthesisOptions.Method) -> SynthesisOptions {
        var options = SynthesisOptions(method)
        (options.batch, options.steps, options.warmUp) = (6, 4, 1)
        (options.warmUpBatches, options.batchesPerEpoch) = (2, 2)
        if method != .deepInversion, method != .noise {
            (options.width, options.latentDim) = (4, 5)
        }
        return options
    }

    func context(
        _ options: SynthesisOptions, window: RandomWindow = .init(), learnt: Bool = false
    ) throws -> SynthesisContext {
        let student = student
        return try SynthesisContext(
            options, teacher: Frozen(teacher, folding: false),
            students: [{ student($0, mode: $1) }], shape: TinyContext.shape, window: window,
            normalisation: InputNormalisation(
                mean: [0.4, 0.5, 0.3], std: [0.2, 0.3, 0.25], isLearnt: learnt),
            seed: 7)
    }
}

/// Tensors of the fixture below a prefix, as the state of a module.
func load(_ module: any Module, from fixture: FixtureFile, _ prefix: String) throws {
    try load(module.state, from: fixture, prefix)
}

func load(
    _ state: [(name: String, tensor: Tensor)], from fixture: FixtureFile, _ prefix: String
) throws {
    try withoutGradient {
        for (name, tensor) in state { tensor.copy(from: try fixture.tensor(prefix + name)) }
    }
}

func dataFreeFixture() throws -> FixtureFile {
    try FixtureFile("data-free", in: Bundle.module)
}
