import Neural
import Randomness
import Torch

extension ModelSpec {
    /// Fully connected layers of these widths; none: a linear classifier.
    public static func mlp(hidden: [Int] = [256, 256], dropout: Double? = nil) -> ModelSpec {
        ModelSpec(name: "mlp", dropout: dropout, hidden: hidden)
    }
    public static let leNet5 = ModelSpec(name: "lenet5")
    public static let resNet8 = ModelSpec(name: "resnet8")
    public static let resNet20 = ModelSpec(name: "resnet20")
    public static let resNet32 = ModelSpec(name: "resnet32")
    public static let resNet56 = ModelSpec(name: "resnet56")
    public static let resNet18 = ModelSpec(name: "resnet18")
    public static func wideResNet(depth: Int, factor: Int) -> ModelSpec {
        ModelSpec(name: "wrn-\(depth)-\(factor)")
    }

    /// A network of the caller's own.
    ///
    /// The name stands in recipes, run folders and weights files: a program that loads one of them later
    /// has to call this with the same name before. What is made under a name must not change from one
    /// program to the next, or old files no longer fit; then take another name.
    ///
    /// - Parameters:
    ///   - name: letters, digits and hyphens; not one of `ModelRegistry.names`.
    ///   - make: the network for samples of a shape without the batch ([channels, height, width] or
    ///     [columns]) and so many classes. Weights are drawn from the generator alone.
    public static func custom(
        _ name: String,
        _ make:
            @escaping @Sendable (
                _ sampleShape: [Int], _ classes: Int, _ generator: Generator
            ) -> any Classifier
    ) -> ModelSpec {
        ModelRegistry.register(name, make)
        return ModelSpec(name: name)
    }
}

extension CIFARResNet {
    /// - Parameters:
    ///   - depth: 6 n + 2.
    ///   - channels: of the images.
    ///   - seed: of the initial weights.
    public static func resNet(
        depth: Int, channels: Int, classes: Int, seed: UInt64
    ) -> CIFARResNet {
        precondition(depth >= 8 && depth % 6 == 2, "a depth of 6 n + 2")
        var draw = Draw(seed: seed, .initialisation)
        return CIFARResNet(
            Configuration(channels: channels, classes: classes, blocks: (depth - 2) / 6),
            generator: Generator(seed: draw.next()))
    }

    public static func resNet8(channels: Int, classes: Int, seed: UInt64) -> CIFARResNet {
        resNet(depth: 8, channels: channels, classes: classes, seed: seed)
    }

    public static func resNet20(channels: Int, classes: Int, seed: UInt64) -> CIFARResNet {
        resNet(depth: 20, channels: channels, classes: classes, seed: seed)
    }
}
