import Models
import Neural
import Randomness
import Torch

/// A term of the search for images was not a finite number.
public struct SynthesisFailure: Error {
    public let term: String
    /// Of the batch, counted from 1.
    public let step: Int
}

/// What all methods of synthesis share: teacher and students, neither of which is trained here;
/// augmentation, normalisation and precision; and one forward pass of candidate images.
///
/// Nothing here is trained except learnt normalisation constants. The caller of a synthesiser freezes
/// the students (`withFrozenParameters`); the teacher is `Frozen` anyway.
public final class SynthesisContext {
    public let options: SynthesisOptions
    /// Frozen without folding, so that its batch norms can be probed.
    public let teacher: Frozen
    /// Logits [N, C] of each network that learns, for normalised images [N, …].
    public let students: [(Tensor, Mode) -> Tensor]
    /// [channels, height, width]
    public let shape: [Int]
    public let window: RandomWindow
    public let normalisation: InputNormalisation
    public let precision: Precision
    public let seed: UInt64
    public let device: Device
    /// Nil where the teacher has no batch norm or the term has no weight.
    public let matching: StatisticsMatching?
    private let norms: [BatchNorm]

    public init(
        _ options: SynthesisOptions, teacher: Frozen, students: [(Tensor, Mode) -> Tensor],
        shape: [Int], window: RandomWindow, normalisation: InputNormalisation,
        precision: Precision = .float32, seed: UInt64, device: Device = .cpu
    ) throws {
        self.options = options
        self.teacher = teacher
        self.students = students
        self.shape = shape
        self.window = window
        self.normalisation = normalisation
        self.precision = precision
        self.seed = seed
        self.device = device
        // In the order of the forward pass, which need not be that of declaration.
        let probe = BatchProbe()
        try Engine.checked {
            withoutGradient {
                _ = teacher.recorded(Tensor.zeros([2] + shape, device: device), probe: probe)
            }
        }
        norms = probe.readings.map(\.norm)
        matching =
            norms.isEmpty || options.bnWeight == 0
            ? nil : StatisticsMatching(norms, momentum: options.bnMomentum)
    }

    /// Whether the teacher has batch norms, whose statistics images can be matched to.
    public var teacherHasBatchNorm: Bool { !norms.isEmpty }

    public var classes: Int { teacher.classes }

    /// Place of a step in a run: what its random numbers derive from.
    public struct Place: Equatable, Sendable {
        /// Warm-up counted in.
        public var epoch: Int
        /// Batch of the epoch.
        public var batch: Int

        public init(epoch: Int, batch: Int) {
            self.epoch = epoch
            self.batch = batch
        }

        /// A held-out batch, which is never trained on and has random numbers of its own.
        public init(epoch: Int, heldOut number: Int) {
            self.init(epoch: epoch, batch: Place.firstHeldOut + number)
        }

        /// Far behind every batch of an epoch.
        private static let firstHeldOut = 1_000_000
    }

    /// Purposes of a batch's draws, in the `sample` of a `Draw`.
    enum Stream: Int { case noise, labels, window, dropout }

    func draw(_ stream: Stream, _ place: Place, step: Int = 0) -> Draw {
        Draw(
            seed: seed ^ UInt64(stream.rawValue) << 56, .synthesis, epoch: place.epoch,
            step: place.batch, sample: step)
    }

    func generator(_ stream: Stream, _ place: Place, step: Int = 0) -> Generator {
        var draw = draw(stream, place, step: step)
        return Generator(seed: draw.next(), device: device)
    }

    /// The outputs of teacher and students for candidate images.
    struct ForwardPass {
        let normalised: Tensor
        let features: Tensor
        let teacher: Logits
        /// Empty where no term uses them.
        let students: [Logits]
        let readings: [BatchProbe.Reading]
        /// Of the students' batch norms, one array each; empty where no term uses them.
        let studentReadings: [[BatchProbe.Reading]]
    }

    /// - Parameters:
    ///   - images: [B, C, H, W] in [0, 1], recorded.
    ///   - students: whether they take part.
    func forward(_ images: Tensor, _ place: Place, step: Int, students isUsed: Bool) -> ForwardPass
    {
        var draw = draw(.window, place, step: step)
        let inputs = normalisation(
            rollingShift.map { $0(images, &draw) } ?? window(images, &draw))
        let probe = BatchProbe()
        let studentProbes =
            isUsed && usesStudentStatistics ? students.map { _ in BatchProbe() } : []
        return withPrecision(precision, on: device) {
            // Without matching, a pass without probes is cheaper.
            let seen =
                matching == nil
                ? teacher.recordedWithFeatures(inputs) : teacher.recorded(inputs, probe: probe)
            let others: [Logits] =
                !isUsed
                ? []
                : students.indices.map { i in
                    let usual = studentProbes.isEmpty
                    return Logits(
                        students[i](
                            inputs, usual ? mode(place, step: step) : .probe(studentProbes[i])))
                }
            return ForwardPass(
                normalised: inputs, features: seen.features, teacher: Logits(seen.logits),
                students: others, readings: probe.readings,
                studentReadings: studentProbes.map(\.readings))
        }
    }

    private func mode(_ place: Place, step: Int) -> Mode {
        guard options.studentMode == .train, place.batch > 0 else { return .eval }
        return .train(generator(.dropout, place, step: step))
    }

    private var usesStudentStatistics: Bool { (options.studentBNWeight ?? 0) != 0 }

    /// Instead of `window`, where the method has it.
    private var rollingShift: RollingShift? {
        guard let share = options.rollingShift, share > 0 else { return nil }
        return RollingShift(share: share, flip: window.flip)
    }

    /// Whether students take part in the loss of this epoch.
    func isAdversarial(_ place: Place) -> Bool {
        place.epoch >= options.warmUp && !students.isEmpty
            && (options.adversarialWeight > 0 || (options.competitionWeight ?? 0) > 0
                || usesStudentStatistics)
    }

    func target() -> StatisticsMatching.Target? { matching?.target(norms) }

    /// The terms that all methods have, as far as they have weight: label, statistics, adversarial.
    func commonTerms(
        _ outputs: ForwardPass, labels: Tensor, target: StatisticsMatching.Target?
    ) -> [SearchTerm] {
        var terms = [
            SearchTerm(
                "label", options.labelWeight, crossEntropy(outputs.teacher, labels: labels).mean())
        ]
        if let matching, let target {
            terms.append(
                SearchTerm("statistics", options.bnWeight, matching.loss(outputs.readings, target)))
        }
        if !outputs.students.isEmpty, options.adversarialWeight > 0 {
            terms.append(
                SearchTerm(
                    "adversarial", options.adversarialWeight,
                    mean(
                        outputs.students.map {
                            adversarialLoss(teacher: outputs.teacher, student: $0)
                        }))
            )
        }
        return terms
    }

    func mean(_ values: [Tensor]) -> Tensor {
        values.count == 1 ? values[0] : Tensor.stacked(values).mean()
    }

    /// Target labels of a batch: one of each class in turn, the rest drawn.
    func targetLabels(_ place: Place) -> [Int] {
        var draw = draw(.labels, place)
        return orderedLabels(options.batch, classes: classes) { draw.below(classes) }
    }
}

/// A term of what images are searched by: a scalar, its name and weight.
struct SearchTerm {
    let name: String
    let weight: Double
    let value: Tensor

    init(_ name: String, _ weight: Double, _ value: Tensor) {
        self.name = name
        self.weight = weight
        self.value = value
    }
}
