import Neural
import Torch

/// A batch of images that the teacher predicts as their target labels, and how the search for it went.
public struct SynthesisedBatch {
    /// [B, C, H, W], float32 in [0, 1], without the augmentation of the search.
    public var images: Tensor
    /// Target labels.
    public var labels: [Int]
    public var facts: SynthesisFacts

    /// Row-major bytes, truncate(255 · x) with x cut to [0, 1], as the released code writes its files.
    public var bytes: [UInt8] {
        withoutGradient { (images.clamped(0, 1) * 255).to(.uint8).bytes() }
    }
}

/// How the search for a batch went; all of the step whose images were kept, unless said otherwise.
/// Teacher and students saw them as augmented in that step.
public struct SynthesisFacts: Codable, Equatable, Sendable {
    /// Unweighted terms of the search's loss.
    public var terms: [String: Double]
    /// The weighted sum.
    public var loss: Double
    /// Counted from 1.
    public var step: Int
    /// The first step at which the teacher's cross-entropy to the target labels was below 0.2.
    public var stepsToLabels: Int?
    /// Mean over the batch of the teacher's largest class probability.
    public var confidence: Double
    /// Share of images that the teacher predicts as their target label.
    public var accuracy: Double
    /// Share on which the (first) student agrees with the teacher; nil in the warm-up, and where
    /// no term uses the student.
    public var agreement: Double?
    /// Mean over classes, channels and pixels of the standard deviation among a class's images: how
    /// different they are. Classes with one image do not count; nil where there is no other.
    public var diversity: Double?

    static let labelGoal = 0.2
}

/// A method that synthesises images for a teacher.
///
/// It owns what is kept from batch to batch (a generator, running statistics); checkpoints hold it through
/// `state`. All random numbers derive from the place in the run.
public protocol Synthesiser: AnyObject {
    var context: SynthesisContext { get }
    /// Called before the first batch of an epoch (warm-up counted in), but not where a run resumes
    /// inside it: a new generator takes over where its time has come.
    func begin(epoch: Int)
    /// - Parameter stop: called between steps.
    /// - Returns: nil if it was stopped; `state` may then have changed.
    /// - Throws: `SynthesisFailure`, or an engine error.
    func batch(_ place: SynthesisContext.Place, stop: () -> Bool) throws -> SynthesisedBatch?
    /// Tensors that a checkpoint must hold, in a fixed order; restored in place.
    var own: [(name: String, tensor: Tensor)] { get }
}

extension Synthesiser {
    /// The method's own tensors and the context's.
    public var state: [(name: String, tensor: Tensor)] {
        own + (context.matching?.state ?? []).map { ("statistics.\($0.name)", $0.tensor) }
            + (context.normalisation.isLearnt
                ? context.normalisation.state.map { ("normalisation.\($0.name)", $0.tensor) } : [])
    }
}

/// The synthesiser that the context's options name.
///
/// - Parameter embeddings: one row per class [C, d], for NAYER.
public func makeSynthesiser(_ context: SynthesisContext, embeddings: Tensor?) -> any Synthesiser {
    switch context.options.method {
    case .nayer:
        guard let embeddings else { preconditionFailure("NAYER needs an embedding per class") }
        return Nayer(context, embeddings: embeddings)
    case .deepInversion: return DeepInversion(context)
    case .dafl: return DataFreeLearning(context)
    case .fastDFKD: return FastDataFree(context)
    case .noise: return NoiseImages(context)
    }
}

/// The optimisation of one batch, step by step: keeps the best images so far and their facts.
struct ImageSearch {
    let context: SynthesisContext
    let place: SynthesisContext.Place
    let target: StatisticsMatching.Target?
    let usesStudents: Bool
    /// Keep the last images rather than the best: where the steps' losses are not comparable.
    var keepsLast = false

    private(set) var images: Tensor?
    private(set) var labels: [Int] = []
    private var best: SynthesisFacts?
    private var teacher: Logits?
    private var student: Logits?
    private var stepsToLabels: Int?
    private var readings: [BatchProbe.Reading] = []

    init(_ context: SynthesisContext, _ place: SynthesisContext.Place) {
        self.context = context
        self.place = place
        target = context.target()
        usesStudents = context.isAdversarial(place)
    }

    /// Computes the loss of images, keeps them if they are the best so far, and returns the loss to minimise.
    ///
    /// - Parameters:
    ///   - images: [B, C, H, W], recorded.
    ///   - targets: target labels of the batch; nil: the teacher's predictions.
    ///   - extra: terms of the method beside the common ones.
    mutating func evaluate(
        _ images: Tensor, step: Int, targets: [Int]?,
        extra: (SynthesisContext.ForwardPass) -> [SearchTerm] = { _ in [] }
    ) throws -> Tensor {
        let outputs = context.forward(images, place, step: step, students: usesStudents)
        let predictions = targets == nil ? outputs.teacher.detached.predictions : nil
        let labels = predictions ?? Tensor(targets!, [targets!.count]).to(context.device)
        let terms = context.commonTerms(outputs, labels: labels, target: target) + extra(outputs)
        let values = withoutGradient { Tensor.stacked(terms.map { $0.value.to(.float64) }) }
            .doubles()
        // A failed engine gives no values; its own error is thrown in place of this one.
        guard values.count == terms.count else {
            throw SynthesisFailure(term: terms[0].name, step: step + 1)
        }
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw SynthesisFailure(term: terms[bad].name, step: step + 1)
        }
        let loss = zip(terms, values).reduce(0) { $0 + $1.0.weight * $1.1 }
        if stepsToLabels == nil, values[0] < SynthesisFacts.labelGoal { stepsToLabels = step + 1 }
        readings = outputs.readings
        if keepsLast || best.map({ loss < $0.loss }) ?? true {
            self.images = images.detached()
            self.labels = targets ?? predictions!.ints()
            teacher = outputs.teacher.detached
            student = outputs.students.first?.detached
            best = SynthesisFacts(
                terms: Dictionary(zip(terms.map(\.name), values), uniquingKeysWith: { $1 }),
                loss: loss, step: step + 1, confidence: 0, accuracy: 0)
        }
        var total: Tensor?
        for term in terms where term.weight != 0 {
            let weighted = term.value * term.weight
            total = total.map { $0 + weighted } ?? weighted
        }
        return total ?? (images * 0).sum()
    }

    /// After the last step: the running statistics are updated, the best images are returned.
    func finish() -> SynthesisedBatch {
        if !readings.isEmpty { context.matching?.update(readings) }
        return withoutGradient {
            var facts = best!
            facts.stepsToLabels = stepsToLabels
            let predictions = teacher!.predictions.ints()
            let count = Double(max(1, labels.count))
            facts.confidence = teacher!.probabilities().tensor.max(-1).mean().item
            facts.accuracy = Double(zip(predictions, labels).count { $0 == $1 }) / count
            facts.agreement = student.map {
                Double(zip($0.predictions.ints(), predictions).count { $0 == $1 }) / count
            }
            facts.diversity = withinClassStd(images!, labels: labels)
            return SynthesisedBatch(images: images!, labels: labels, facts: facts)
        }
    }
}

/// Mean over classes and pixels of the population standard deviation among the images of a class.
///
/// - Parameter images: [N, …].
/// - Returns: nil if no class has two images.
public func withinClassStd(_ images: Tensor, labels: [Int]) -> Double? {
    withoutGradient {
        var sums: [Double] = []
        for (_, members) in Dictionary(grouping: labels.indices, by: { labels[$0] })
            .sorted(by: { $0.key < $1.key }) where members.count > 1
        {
            let index = Tensor(members, [members.count]).to(images.device)
            let own = images.indexed(0, by: index).to(.float32)
            sums.append(own.variance(0, unbiased: false).clamped(0, nil).sqrt().mean().item)
        }
        return sums.isEmpty ? nil : sums.reduce(0, +) / Double(sums.count)
    }
}
