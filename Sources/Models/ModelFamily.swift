import Diagnostics
import Neural
import Torch

/// What the samples are like and how many classes there are.
struct Classification: Sendable {
    /// [channels, height, width] for images, [1, characters] for text.
    var shape: [Int]
    var classes: Int

    var channels: Int { shape[0] }
    var height: Int { shape[1] }
    var width: Int { shape[2] }
    var side: Int { min(height, width) }
}

/// What a network takes.
enum Samples: Sendable {
    /// Samples of any shape, but no text: its code points are no measurements.
    case numbers
    /// The shortest side at which no map shrinks away.
    case images(leastSide: Int)
    /// The fewest characters that are enough.
    case text(leastLength: Int)
}

/// A network that can be asked for by name.
struct ModelFamily: Sendable {
    /// Options that make sense for it.
    var options: [ModelSpec.Option] = []
    var samples = Samples.numbers
    var make: @Sendable (ModelSpec, Classification, Generator) -> any Classifier

    static let mlp = ModelFamily(options: [.hidden, .dropout]) { spec, task, generator in
        MLP(
            .init(
                inputs: task.shape.reduce(1, *), hidden: spec.hidden ?? [256, 256],
                classes: task.classes, dropout: spec.dropout ?? 0),
            generator: generator)
    }

    static let residualMLP = ModelFamily(options: [.hidden]) { spec, task, generator in
        ResidualMLP(
            .init(
                inputs: task.shape.reduce(1, *), hidden: spec.hidden?[0], classes: task.classes),
            generator: generator)
    }

    static let leNet5 = ModelFamily(samples: .images(leastSide: LeNet5.minimumSide)) {
        _, task, generator in
        LeNet5(
            .init(
                channels: task.channels, height: task.height, width: task.width,
                classes: task.classes),
            generator: generator)
    }

    static let digitCNN = ModelFamily(
        options: [.width], samples: .images(leastSide: DigitCNN.minimumSide)
    ) { spec, task, generator in
        DigitCNN(
            .init(
                channels: task.channels, height: task.height, width: task.width,
                classes: task.classes, widths: [32, 64, 128].map(spec.scaled),
                hidden: spec.scaled(256)),
            generator: generator)
    }

    static func cifarResNet(depth: Int, factor: Int = 1) -> ModelFamily {
        ModelFamily(options: [.width], samples: .images(leastSide: 4)) { spec, task, generator in
            let widths =
                factor == 1 ? [16, 16, 32, 64] : [32, 16 * factor, 32 * factor, 64 * factor]
            return CIFARResNet(
                .init(
                    channels: task.channels, classes: task.classes, blocks: (depth - 2) / 6,
                    widths: widths.map(spec.scaled)),
                generator: generator)
        }
    }

    static func resNet(blocks: [Int]) -> ModelFamily {
        ModelFamily(options: [.width], samples: .images(leastSide: 8)) { spec, task, generator in
            ResNet(
                .init(
                    channels: task.channels, classes: task.classes, blocks: blocks,
                    widths: [64, 128, 256, 512].map(spec.scaled)),
                generator: generator)
        }
    }

    static func wideResNet(depth: Int, factor: Int) -> ModelFamily {
        ModelFamily(options: [.width, .dropout], samples: .images(leastSide: 4)) {
            spec, task, generator in
            var configuration = WideResNet.Configuration(
                channels: task.channels, classes: task.classes, depth: depth, factor: factor,
                dropout: spec.dropout ?? 0)
            configuration.widths = configuration.widths.map(spec.scaled)
            return WideResNet(configuration, generator: generator)
        }
    }

    static func vgg(depth: Int) -> ModelFamily {
        ModelFamily(options: [.width], samples: .images(leastSide: VGG.minimumSide)) {
            spec, task, generator in
            VGG(
                .init(
                    channels: task.channels, classes: task.classes,
                    blocks: VGG.Configuration.depths[depth]!.map { $0.map(spec.scaled) }),
                generator: generator)
        }
    }

    static let mobileNetV2 = ModelFamily(
        options: [.width, .dropout], samples: .images(leastSide: 8)
    ) { spec, task, generator in
        MobileNetV2(
            .init(
                channels: task.channels, classes: task.classes, side: task.side,
                width: spec.width ?? 1, dropout: spec.dropout ?? 0.2),
            generator: generator)
    }
}

extension ModelFamily {
    static let vgg16BatchNorm = ModelFamily(
        options: [.width, .dropout], samples: .images(leastSide: VGG.minimumSide)
    ) { spec, task, generator in
        VGGBatchNorm(
            .init(
                channels: task.channels, classes: task.classes,
                blocks: VGG.Configuration.depths[16]!.map { $0.map(spec.scaled) },
                hidden: spec.scaled(4096), dropout: spec.dropout ?? 0.5),
            generator: generator)
    }

    static let googLeNet = ModelFamily(
        options: [.width, .dropout], samples: .images(leastSide: GoogLeNet.minimumSide)
    ) { spec, task, generator in
        GoogLeNet(
            .init(
                channels: task.channels, classes: task.classes,
                stem: [64, 64, 192].map(spec.scaled),
                blocks: GoogLeNet.Configuration.published.map { $0.scaled(spec.scaled) },
                dropout: spec.dropout ?? 0.4),
            generator: generator)
    }

    static let fastText = ModelFamily(
        options: [.width, .buckets], samples: .text(leastLength: 1)
    ) { spec, task, generator in
        FastText(
            .init(
                classes: task.classes, buckets: spec.buckets ?? FastText.buckets,
                width: spec.scaled(FastText.width)),
            generator: generator)
    }

    static let charCNN = ModelFamily(
        options: [.width, .dropout, .length], samples: .text(leastLength: CharCNN.minimumLength)
    ) { spec, task, generator in
        CharCNN(
            .init(
                classes: task.classes, length: spec.length ?? min(CharCNN.length, task.shape[1]),
                width: spec.scaled(256), dropout: spec.dropout ?? 0.5),
            generator: generator)
    }
}

extension ModelSpec {
    /// A number of channels times `width`, rounded, at least 1.
    func scaled(_ channels: Int) -> Int {
        max(1, Int((Double(channels) * (width ?? 1)).rounded()))
    }
}
