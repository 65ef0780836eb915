import Diagnostics
import Neural
import Randomness
import Synchronization
import Torch

/// The networks by name, as recipes ask for them.
public enum ModelRegistry {
    /// Every listed name. `wrn-d-k` also works with other depths and factors than the listed.
    public static let names: [String] = {
        var names = ["mlp", "residual-mlp", "lenet5"]
        names += cifarDepths.map { "resnet\($0)" }
        names += ["resnet8x4", "resnet32x4", "resnet18", "resnet34"]
        names += wideResNets.map { "wrn-\($0.depth)-\($0.factor)" }
        names += vggDepths.map { "vgg\($0)" }
        names += ["vgg16-bn", "mobilenetv2", "googlenet", "digit-cnn", "fasttext", "charcnn"]
        return names
    }()

    private static let cifarDepths = [8, 14, 20, 32, 44, 56, 110]
    private static let vggDepths = [8, 11, 13, 16]
    private static let wideResNets: [(depth: Int, factor: Int)] = [
        (16, 1), (16, 2), (16, 4), (28, 10), (40, 1), (40, 2),
    ]

    /// Networks of the program that this package is part of, by name.
    private static let own = Mutex<[String: ModelFamily]>([:])

    /// Makes a network of the caller's known under a name, for this process. See `ModelSpec.custom`.
    static func register(
        _ name: String, _ make: @escaping @Sendable ([Int], Int, Generator) -> any Classifier
    ) {
        precondition(
            !name.isEmpty
                && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
                && !names.contains(name) && !name.hasPrefix("wrn-"),
            "a network's name has letters, digits and hyphens, and is not one of the built-in ones")
        let family = ModelFamily { _, task, generator in make(task.shape, task.classes, generator) }
        own.withLock { $0[name] = family }
    }

    /// A freshly initialised network.
    ///
    /// - Parameters:
    ///   - sampleShape: one sample's shape without the batch: [channels, height, width] for
    ///     images, [1, characters] for text; anything else for `mlp`.
    ///   - classes: at least 2.
    ///   - seed: of the initial weights; the same seed gives the same weights.
    /// - Throws: a `Problem` for an unknown name, an option that the network does not have or that
    ///   is out of range, or samples that it cannot take.
    public static func make(
        _ spec: ModelSpec, sampleShape: [Int], classes: Int, seed: UInt64
    ) throws(Problem) -> any Classifier {
        let family = try checked(spec, sampleShape: sampleShape, classes: classes)
        var draw = Draw(seed: seed, .initialisation)
        return family.make(
            spec, Classification(shape: sampleShape, classes: classes), Generator(seed: draw.next())
        )
    }

    /// A network with the weights of a file, which are compared with its names and shapes before it
    /// is made: a file never makes this process allocate more than a small multiple of its own size.
    ///
    /// - Parameters:
    ///   - tensors: the whole state, under the network's names.
    ///   - source: where they come from, for the message (a path).
    /// - Throws: a `Problem` as `make` and `Module.loadState` throw it.
    public static func make(
        _ spec: ModelSpec, sampleShape: [Int], classes: Int, weights tensors: [String: Tensor],
        source: String?
    ) throws(Problem) -> any Classifier {
        try shapes(of: spec, sampleShape: sampleShape, classes: classes)
            .checkState(tensors, source: source)
        let network = try make(spec, sampleShape: sampleShape, classes: classes, seed: 0)
        try network.loadState(from: tensors, source: source)
        return network
    }

    /// A network whose tensors have names and shapes but no memory: to look at, not to run.
    public static func shapes(
        of spec: ModelSpec, sampleShape: [Int], classes: Int
    ) throws(Problem) -> any Classifier {
        let family = try checked(spec, sampleShape: sampleShape, classes: classes)
        return family.make(
            spec, Classification(shape: sampleShape, classes: classes),
            Generator(seed: 0, makesValues: false))
    }

    /// Everything that `make` checks, without making anything.
    public static func check(
        _ spec: ModelSpec, sampleShape: [Int], classes: Int
    ) throws(Problem) {
        _ = try checked(spec, sampleShape: sampleShape, classes: classes)
    }

    private static func checked(
        _ spec: ModelSpec, sampleShape: [Int], classes: Int
    ) throws(Problem) -> ModelFamily {
        let family = try family(named: spec.name)
        for option in spec.given where !family.options.contains(option) {
            throw .optionNotOfModel(option, spec.name, has: family.options)
        }
        if let width = spec.width, !(0.05...4).contains(width) {
            throw .optionOutOfRange(.width, found: "\(width)", expected: "a number from 0.05 to 4")
        }
        if let dropout = spec.dropout, !(0..<1).contains(dropout) {
            throw .optionOutOfRange(
                .dropout, found: "\(dropout)", expected: "a probability of at least 0 and below 1")
        }
        if let hidden = spec.hidden,
            hidden.count > 64 || hidden.contains(where: { !(1...65_536).contains($0) })
        {
            throw .optionOutOfRange(
                .hidden, found: Problem.oneLine("\(hidden)"),
                expected: "at most 64 sizes from 1 to 65536")
        }
        guard (2...100_000).contains(classes) else { throw .classCount(classes) }
        try checkSamples(sampleShape, for: spec.name, family.samples)
        try checkText(spec, sampleShape)
        if spec.name == "mlp" {
            try checkSize(of: [sampleShape.reduce(1, *)] + (spec.hidden ?? [256, 256]) + [classes])
        }
        if spec.name == "residual-mlp" {
            if let hidden = spec.hidden, hidden.count != 1 {
                throw .optionOutOfRange(
                    .hidden, found: Problem.oneLine("\(hidden)"),
                    expected: "one size, that of the layer inside")
            }
            let inputs = sampleShape.reduce(1, *)
            try checkSize(of: [inputs, spec.hidden?[0] ?? 4 * inputs, inputs, classes])
        }
        return family
    }

    private static func family(named name: String) throws(Problem) -> ModelFamily {
        switch name {
        case "mlp": return .mlp
        case "residual-mlp": return .residualMLP
        case "lenet5": return .leNet5
        case "digit-cnn": return .digitCNN
        case "resnet8x4": return .cifarResNet(depth: 8, factor: 4)
        case "resnet32x4": return .cifarResNet(depth: 32, factor: 4)
        case "resnet18": return .resNet(blocks: [2, 2, 2, 2])
        case "resnet34": return .resNet(blocks: [3, 4, 6, 3])
        case "mobilenetv2": return .mobileNetV2
        case "vgg16-bn": return .vgg16BatchNorm
        case "googlenet": return .googLeNet
        case "fasttext": return .fastText
        case "charcnn": return .charCNN
        default: break
        }
        if let own = own.withLock({ $0[name] }) { return own }
        if let depth = cifarDepths.first(where: { name == "resnet\($0)" }) {
            return .cifarResNet(depth: depth)
        }
        if let depth = vggDepths.first(where: { name == "vgg\($0)" }) { return .vgg(depth: depth) }
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 3, let depth = Int(parts[1]), let factor = Int(parts[2]),
            name == "wrn-\(depth)-\(factor)"
        {
            guard (10...100).contains(depth), depth % 6 == 4, (1...20).contains(factor) else {
                throw .wideResNetShape(name)
            }
            return .wideResNet(depth: depth, factor: factor)
        }
        throw .unknownModel(name, known: names)
    }

    private static func checkSamples(
        _ shape: [Int], for name: String, _ samples: Samples
    ) throws(Problem) {
        guard !shape.isEmpty, shape.allSatisfy({ (1...65_536).contains($0) }),
            product(shape, isAtMost: 1 << 28)
        else { throw .sampleShape(shape) }
        // Text is known by its shape: one channel of characters.
        if case .text(let least) = samples {
            guard shape.count == 2, shape[0] == 1 else { throw .notText(shape, model: name) }
            guard shape[1] >= least else {
                throw .textsTooShort(shape[1], model: name, least: least)
            }
            return
        }
        guard shape.count != 2 else { throw .text(shape, model: name) }
        guard case .images(let least) = samples else { return }
        guard shape.count == 3 else { throw .notImages(shape, model: name) }
        guard min(shape[1], shape[2]) >= least else {
            throw .imagesTooSmall(shape, model: name, minimumSide: least)
        }
    }

    /// The options of the text networks.
    private static func checkText(_ spec: ModelSpec, _ shape: [Int]) throws(Problem) {
        if let buckets = spec.buckets {
            guard (1...1 << 24).contains(buckets) else {
                throw .optionOutOfRange(.buckets, found: "\(buckets)", expected: "1 to 16777216")
            }
            let weights = Double(buckets) * Double(spec.scaled(FastText.width))
            guard weights < 0x1p30 else { throw .tooManyWeights(weights, of: .buckets) }
        }
        if let length = spec.length {
            guard (CharCNN.minimumLength...shape[1]).contains(length) else {
                throw .optionOutOfRange(
                    .length, found: "\(length)",
                    expected: "\(CharCNN.minimumLength) to the \(shape[1]) characters of a text")
            }
        }
    }

    /// Refuses fully connected networks of 2³⁰ weights (4 GiB) or more before anything is allocated.
    private static func checkSize(of widths: [Int]) throws(Problem) {
        let weights = zip(widths, widths.dropFirst()).reduce(0.0) {
            $0 + Double($1.0) * Double($1.1)
        }
        guard weights < 0x1p30 else { throw .tooManyWeights(weights, of: .hidden) }
    }

    private static func product(_ shape: [Int], isAtMost limit: Int) -> Bool {
        var product = 1
        for size in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            if overflow || next > limit { return false }
            product = next
        }
        return true
    }
}
