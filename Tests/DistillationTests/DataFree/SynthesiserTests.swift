import Foundation
import Neural
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// Searching for images, batch by batch.
@Suite(.takesTurns) struct SynthesiserTests {
    private let embeddings = values(9, [3, 6])

    private func bytes(_ tensors: [(name: String, tensor: Tensor)]) -> [[UInt8]] {
        tensors.map { $0.tensor.bytes() }
    }

    /// Four steps of one batch, by PyTorch's Adam and ours: images, generator, statistics.
    @Test func aBatchIsPyTorchs() throws {
        try withNoLeaks {
            let fixture = try dataFreeFixture()
            let tiny = try TinyContext(fixture: fixture)
            var options = TinyContext.options(.nayer)
            options.resample = false
            let context = try tiny.context(options)
            let nayer = Nayer(context, embeddings: try fixture.tensor("generator.embeddings"))
            try load(nayer.generator, from: fixture, "run.initial.")
            let batch = try #require(
                try tiny.student.withFrozenParameters {
                    try nayer.batch(.init(epoch: 1, batch: 0)) { false }
                })
            #expect(batch.labels == [0, 1, 2, 0, 1, 2])
            try fixture.expect(batch.images, is: "run.images", tolerance: 1e-4)
            let losses = try fixture.tensor("run.losses").doubles()
            try expectClose([batch.facts.loss], [losses.min()!], 1e-4)
            #expect(batch.facts.step == losses.firstIndex(of: losses.min()!)! + 1)
            for (name, tensor) in nayer.generator.state where tensor.dtype == .float32 {
                // A bias in front of a batch norm has no gradient but rounding, which Adam blows up.
                if ["noise.bias", "body.l1.bias"].contains(name) { continue }
                try fixture.expect(tensor, is: "run.final.\(name)", tolerance: 5e-3)
            }
            for (name, tensor) in try #require(context.matching).state.dropFirst() {
                let parts = name.split(separator: ".")
                try fixture.expect(tensor, is: "run.\(parts[1]).\(parts[0])", tolerance: 1e-4)
            }
        }
    }

    @Test(arguments: SynthesisOptions.Method.allCases)
    func everyMethod(_ method: SynthesisOptions.Method) throws {
        try withNoLeaks {
            let tiny = try TinyContext()
            var options = TinyContext.options(method)
            if method == .deepInversion {
                (options.competitionWeight, options.studentBNWeight) = (1, -0.001)
                options.rollingShift = 0.2
            }
            let before = bytes(tiny.teacher.state) + bytes(tiny.student.state)
            func made(_ count: Int, _ options: SynthesisOptions) throws -> (
                [SynthesisedBatch], [[UInt8]]
            ) {
                let context = try tiny.context(options, window: .init(padding: 1, flip: true))
                let maker = makeSynthesiser(context, embeddings: embeddings)
                let batches = try (0..<count).map { i in
                    let (epoch, number) = i.quotientAndRemainder(dividingBy: 2)
                    if number == 0 { maker.begin(epoch: epoch) }
                    return try tiny.student.withFrozenParameters {
                        try maker.batch(.init(epoch: epoch, batch: number)) { false }
                    }!
                }
                return (batches, bytes(maker.state))
            }
            let (batches, state) = try made(4, options)
            for (i, batch) in batches.enumerated() {
                #expect(batch.images.shape == [6, 3, 10, 7] && batch.labels.count == 6)
                #expect(batch.labels.allSatisfy { (0..<3).contains($0) })
                #expect(batch.bytes.count == 6 * 210)
                let facts = batch.facts
                #expect((1...4).contains(facts.step) && facts.loss.isFinite)
                #expect((0...1).contains(facts.accuracy) && (0...1).contains(facts.confidence))
                // Students have no say in the warm-up.
                let usesStudents = method != .dafl && method != .noise && i >= 2
                #expect((facts.agreement != nil) == usesStudents)
                let adversarial = usesStudents && options.adversarialWeight > 0
                #expect((facts.terms["adversarial"] != nil) == adversarial)
                #expect((facts.terms["statistics"] != nil) == (options.bnWeight > 0))
                #expect(
                    (facts.terms["student-statistics"] != nil)
                        == (usesStudents && method == .deepInversion))
            }
            #expect(batches[0].bytes != batches[1].bytes, "every batch has noise of its own")
            #expect(
                bytes(tiny.teacher.state) + bytes(tiny.student.state) == before, "not trained")
            // All of it derives from the seed.
            let (again, same) = try made(4, options)
            #expect(again.map(\.bytes) == batches.map(\.bytes) && same == state)
            if method == .fastDFKD {
                options.update = .reptile
                let reptile = try made(2, options).1
                let fomaml = try made(2, TinyContext.options(method)).1
                #expect(reptile != fomaml)
            }
        }
    }

    /// What students learn from is what the search matched: bytes that are read back have the statistics
    /// of the images that were kept.
    @Test(arguments: SynthesisOptions.Method.allCases)
    func storedImagesHaveTheStatisticsOfTheSearchedOnes(_ method: SynthesisOptions.Method) throws {
        try withNoLeaks {
            let tiny = try TinyContext()
            // Running statistics that images in [0, 1] can nearly have, as a trained teacher's are.
            let images = Tensor.empty([64] + TinyContext.shape)
            images.fillUniform(0, 1, Generator(seed: 3))
            withoutGradient {
                for _ in 0..<200 {
                    _ = tiny.teacher.features(
                        (images - 0.4) / 0.25, mode: .train(Generator(seed: 4)))
                }
            }
            var options = TinyContext.options(method)
            // So few that the statistics are still far off beside what rounding to bytes changes.
            (options.steps, options.batch) = (method == .noise ? 1 : 6, 12)
            options.bnWeight = 10
            if method == .deepInversion { options.rollingShift = 0 }
            let context = try tiny.context(options)
            let target = try #require(context.target())
            let maker = makeSynthesiser(context, embeddings: embeddings)
            let place = SynthesisContext.Place(epoch: 0, batch: 0)
            let batch = try #require(try maker.batch(place) { false })
            let stored = Tensor(bytes: batch.bytes, batch.images.shape, dtype: .uint8)
            let found = try withoutGradient {
                let pass = context.forward(
                    stored.to(.float32).channelsLast() / 255, place, step: 0, students: false)
                return try #require(context.matching).loss(pass.readings, target).item
            }
            let searched = try #require(batch.facts.terms["statistics"])
            #expect(abs(found - searched) < 0.1 * searched, "\(searched) became \(found)")
        }
    }

    /// Every image moves by the same step, what leaves comes back, and no pixel is lost.
    @Test func rollingShiftWrapsAround() throws {
        try withNoLeaks {
            let images = Tensor((0..<2 * 4 * 8).map(Float.init), [2, 1, 4, 8])
            var seen: Set<Float> = []
            for seed in 0..<40 as Range<UInt64> {
                var draw = Draw(seed: seed, .synthesis, epoch: 0, step: 0, sample: 0)
                let rolled = RollingShift(share: 0.25, flip: false)(images, &draw)
                #expect(rolled.floats().sorted() == images.floats())
                let (first, second) = (rolled.floats().prefix(32), rolled.floats().suffix(32))
                #expect(zip(first, second).allSatisfy { $1 - $0 == 32 })
                seen.insert(first[0])
            }
            // One row at most up or down, two columns at most to either side.
            #expect(
                seen == Set([24, 0, 8].flatMap { row in [6, 7, 0, 1, 2].map { Float(row + $0) } }))
        }
    }

    /// The student's statistics by hand: the distance of every norm's running values to the batch's.
    @Test func statisticsOfTheStudent() throws {
        try withNoLeaks {
            let norm = BatchNorm(2)
            let reading = BatchProbe.Reading(
                norm: norm, mean: Tensor([3, 4] as [Float], [2]),
                variance: Tensor([1, 3] as [Float], [2]))
            try expectClose([StatisticsMatching.loss([reading, reading]).item], [14], 1e-6)
        }
    }

    /// From a state that was saved between two batches, the second comes out the same.
    @Test(arguments: SynthesisOptions.Method.allCases)
    func continuesFromItsState(_ method: SynthesisOptions.Method) throws {
        try withNoLeaks {
            let tiny = try TinyContext()
            let options = TinyContext.options(method)
            func maker() throws -> any Synthesiser {
                makeSynthesiser(
                    try tiny.context(options, learnt: method == .nayer), embeddings: embeddings)
            }
            let first = try maker()
            first.begin(epoch: 0)
            _ = try first.batch(.init(epoch: 0, batch: 0)) { false }
            let saved = first.state.map { ($0.name, $0.tensor.cloned()) }
            let expected = try #require(try first.batch(.init(epoch: 0, batch: 1)) { false })
            let second = try maker()
            #expect(second.state.map(\.name) == saved.map(\.0))
            withoutGradient {
                for (target, copy) in zip(second.state, saved) { target.tensor.copy(from: copy.1) }
            }
            let found = try #require(try second.batch(.init(epoch: 0, batch: 1)) { false })
            #expect(found.bytes == expected.bytes && found.facts == expected.facts)
            #expect(bytes(second.state) == bytes(first.state))
        }
    }

    /// A new generator at the epochs that the paper's code makes one, and no other.
    @Test func generatorsLiveTenEpochs() throws {
        var options = SynthesisOptions()
        #expect((0..<45).filter(options.startsAnew) == [0, 10, 20, 30, 40])
        options.warmUp = 3
        #expect((0..<25).filter(options.startsAnew) == [0, 3, 10, 13, 20, 23])
        try withNoLeaks {
            var options = TinyContext.options(.nayer)
            options.generatorEpochs = 2
            let nayer = Nayer(try TinyContext().context(options), embeddings: embeddings)
            var seen: [[UInt8]] = []
            for epoch in 0..<4 {
                nayer.begin(epoch: epoch)
                seen.append(nayer.generator.body.l1.weight.tensor.bytes())
            }
            // Warm-up 1: anew at 0, 1, 2, 3 … by one rule or the other.
            #expect(Set(seen).count == 4)
            options.warmUp = 2
            let other = Nayer(try TinyContext().context(options), embeddings: embeddings)
            seen = (0..<4).map {
                other.begin(epoch: $0)
                return other.generator.body.l1.weight.tensor.bytes()
            }
            #expect(seen[0] == seen[1] && seen[1] != seen[2] && seen[2] == seen[3])
        }
    }

    @Test func sizeOfThePool() {
        // CIFAR-10 in the paper's settings: 80,000 after the warm-up, 160,000 after 100 epochs.
        #expect(SynthesisOptions().poolSize(afterEpochs: 0) == 80_000)
        #expect(SynthesisOptions().poolSize(afterEpochs: 100) == 160_000)
    }

    @Test func stopsBetweenSteps() throws {
        try withNoLeaks {
            let tiny = try TinyContext()
            for method in SynthesisOptions.Method.allCases {
                let maker = makeSynthesiser(
                    try tiny.context(TinyContext.options(method)), embeddings: embeddings)
                var calls = 0
                let batch = try maker.batch(.init(epoch: 0, batch: 0)) {
                    calls += 1
                    return calls == (method == .noise ? 1 : 3)
                }
                #expect(batch == nil && calls == (method == .noise ? 1 : 3))
            }
        }
    }

    @Test func namesTheTermThatIsNotFinite() throws {
        try withNoLeaks {
            let tiny = try TinyContext()
            withoutGradient { tiny.teacher.bn2.runningMean.tensor.fill(.infinity) }
            let maker = makeSynthesiser(
                try tiny.context(TinyContext.options(.nayer)), embeddings: embeddings)
            let error = #expect(throws: SynthesisFailure.self) {
                try maker.batch(.init(epoch: 0, batch: 0)) { false }
            }
            #expect(error?.step == 1 && ["label", "statistics"].contains(error?.term))
        }
    }

    @Test func aTeacherWithoutBatchNorm() throws {
        try withNoLeaks {
            let context = try SynthesisContext(
                TinyContext.options(.nayer),
                teacher: Frozen(PlainTeacher(generator: Generator(seed: 1)), folding: false),
                students: [], shape: TinyContext.shape, window: .init(),
                normalisation: InputNormalisation(mean: [0, 0, 0], std: [1, 1, 1]), seed: 7)
            #expect(!context.teacherHasBatchNorm && context.matching == nil)
            let maker = makeSynthesiser(context, embeddings: embeddings)
            let batch = try #require(try maker.batch(.init(epoch: 0, batch: 0)) { false })
            #expect(batch.facts.terms.keys.sorted() == ["label"])
        }
    }

    /// The released code's oversight changes the student's running statistics; the default does not.
    @Test func studentModeOfTheReleasedCode() throws {
        try withNoLeaks {
            let tiny = try TinyContext()
            var options = TinyContext.options(.nayer)
            options.studentMode = .train
            let maker = makeSynthesiser(try tiny.context(options), embeddings: embeddings)
            let before = bytes(tiny.student.buffers)
            _ = try maker.batch(.init(epoch: 1, batch: 0)) { false }
            #expect(bytes(tiny.student.buffers) == before, "the first batch of an epoch is in eval")
            _ = try maker.batch(.init(epoch: 1, batch: 1)) { false }
            #expect(bytes(tiny.student.buffers) != before)
            tiny.student.clearGradients()
        }
    }

    /// Learnt constants move, given ones do not.
    @Test func normalisationIsLearntWhereAsked() throws {
        try withNoLeaks {
            for learnt in [false, true] {
                let context = try TinyContext().context(TinyContext.options(.nayer), learnt: learnt)
                let before = context.normalisation.values.mean
                _ = try makeSynthesiser(context, embeddings: embeddings)
                    .batch(.init(epoch: 0, batch: 0)) { false }
                #expect((context.normalisation.values.mean != before) == learnt)
            }
        }
    }

    @Test func diversityByHand() throws {
        try withNoLeaks {
            // Class 0: pixels 0 and 1, std ½; class 1: equal; class 2: one image.
            let images = Tensor([0, 1, 0.3, 0.3, 0.9] as [Float], [5, 1, 1, 1])
            let found = withinClassStd(images, labels: [0, 0, 1, 1, 2])
            try expectClose([found ?? -1], [0.25], 1e-6)
            #expect(withinClassStd(images, labels: [0, 1, 2, 3, 4]) == nil)
        }
    }

    /// truncate(255 · clamp), as the released code.
    @Test func bytesAreTruncated() throws {
        try withNoLeaks {
            let batch = SynthesisedBatch(
                images: Tensor([0, 0.999, 1, 0.5, -3, 7] as [Float], [6, 1, 1, 1]),
                labels: [0, 0, 0, 0, 0, 0],
                facts: SynthesisFacts(terms: [:], loss: 0, step: 1, confidence: 0, accuracy: 0))
            #expect(batch.bytes == [0, 254, 255, 127, 0, 255])
        }
    }
}
