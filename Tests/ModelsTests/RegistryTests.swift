import Diagnostics
import Foundation
import Neural
import TestSupport
import Testing
import Torch

@testable import Models

@Suite(.takesTurns) struct RegistryTests {
    private static func text(_ folder: String, _ name: String) throws -> [[String]] {
        let url = try #require(
            Bundle.module.url(
                forResource: name, withExtension: "txt", subdirectory: "Fixtures/\(folder)"))
        return try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: " ").map(String.init) }
    }

    private func make(
        _ spec: ModelSpec, _ shape: [Int]? = nil, classes: Int = 10, seed: UInt64 = 1
    ) throws -> any Classifier {
        let usual = ["fasttext", "charcnn"].contains(spec.name) ? [1, 1024] : [3, 32, 32]
        return try ModelRegistry.make(
            spec, sampleShape: shape ?? usual, classes: classes, seed: seed)
    }

    /// Names, order and shapes of the whole state are PyTorch's: a forgotten module shows here.
    @Test(arguments: ModelRegistry.names) func keys(_ name: String) throws {
        try withNoLeaks { () throws in
            let network = try make(ModelSpec(name: name))
            let found = network.state.map { name, tensor in
                let shape = tensor.shape.map(String.init).joined(separator: "x")
                return [name, shape.isEmpty ? "-" : shape]
            }
            let golden = try Self.text("keys", name)
            #expect(found == golden)
            let trained = golden.filter { !$0[0].contains("running_") && $0[1] != "-" }
            let count = trained.reduce(0) { sum, line in
                sum + line[1].split(separator: "x").reduce(1) { $0 * Int($1)! }
            }
            #expect(network.parameterCount == count)
            #expect(network.classes == 10)
        }
    }

    /// Well-known sizes, as a check on the golden lists themselves.
    @Test func parameterCounts() throws {
        try withNoLeaks { () throws in
            // LeNet-5 at 1×28×28 has 156 + 2416 + 48120 + 10164 + 850.
            #expect(try make(ModelSpec(name: "lenet5"), [1, 28, 28]).parameterCount == 61_706)
            // Of the package's file: 320 + 18496 + 73856 + 295168 + 2570.
            #expect(try make(ModelSpec(name: "digit-cnn"), [1, 28, 28]).parameterCount == 390_410)
            // 20·2 + 2 weights and biases without a hidden layer.
            let linear = ModelSpec(name: "mlp", hidden: [])
            #expect(try make(linear, [20], classes: 2).parameterCount == 42)
            // torchvision's count minus the 7×7 stem and the 1000-class head, plus ours.
            let resnet = 11_689_512 - 64 * 3 * 49 - 513_000 + 64 * 3 * 9 + 5130
            #expect(try make(ModelSpec(name: "resnet18")).parameterCount == resnet)
            #expect(
                try make(ModelSpec(name: "mobilenetv2"), classes: 1000).parameterCount == 3_504_872)
            // torchvision's, whose first linear layer sees 7×7 pixels.
            #expect(
                try make(ModelSpec(name: "vgg16-bn"), classes: 1000).parameterCount
                    == 138_365_992 - (25_088 - 512) * 4096)
            #expect(
                try make(ModelSpec(name: "fasttext")).parameterCount
                    == 131_073 * 32 + 33 * 10 + 11 * 10)
            let ends = 256 * 70 * 7 + 256 * 256 * 7 + 2 * 256  // conv1, conv2
            let middle = 4 * (256 * 256 * 3 + 256)
            let linear3 = 7 * 256 * 256 + 256 + 256 * 256 + 256 + 257 * 10
            #expect(try make(ModelSpec(name: "charcnn")).parameterCount == ends + middle + linear3)
        }
    }

    @Test(arguments: [
        "mlp", "lenet5", "resnet20", "resnet18", "wrn-16-2", "vgg8", "mobilenetv2", "vgg16-bn",
        "googlenet", "digit-cnn", "fasttext", "charcnn",
    ])
    func initialisationIsPyTorchs(_ name: String) throws {
        try withNoLeaks { () throws in
            let network = try make(ModelSpec(name: name))
            let golden = try Self.text("initialisation", name)
            #expect(golden.count == network.parameters.count)
            for (line, (key, tensor)) in zip(golden, network.parameters) {
                #expect(line[0] == key)
                let numbers = try line.dropFirst().map { try #require(Double($0)) }
                let (mean, std, largest) = (numbers[0], numbers[1], numbers[2])
                let values = tensor.doubles()
                let n = Double(values.count)
                let ourMean = values.reduce(0, +) / n
                let ourStd = (values.map { ($0 - ourMean) * ($0 - ourMean) }.reduce(0, +) / n)
                    .squareRoot()
                if std == 0 {
                    #expect(values.allSatisfy { $0 == mean }, "\(key)")
                    continue
                }
                // Both sides are samples: six standard errors of their difference.
                #expect(abs(ourMean - mean) < 6 * std * (2 / n).squareRoot(), "\(key) mean")
                if n >= 40 { #expect(abs(ourStd - std) < 6 * std / n.squareRoot(), "\(key) std") }
                if n >= 400 {
                    // A uniform distribution ends at √3 standard deviations, a normal one does not.
                    let ours = values.map(abs).max()! / ourStd
                    #expect((ours < 2) == (largest / std < 2), "\(key) kind")
                }
            }
        }
    }

    @Test func theSeedDecides() throws {
        try withNoLeaks { () throws in
            let weights = { (seed: UInt64) in
                try make(ModelSpec(name: "resnet8"), seed: seed).state.map { $0.tensor.floats() }
            }
            #expect(try weights(1) == weights(1))
            #expect(try weights(1) != weights(2))
        }
    }

    /// The smallest allowed image, an oblong one and a large one give logits, with any number of
    /// channels, and gradients that are finite.
    @Test(arguments: [
        "lenet5", "resnet8", "resnet8x4", "resnet18", "wrn-16-1", "vgg8", "mobilenetv2", "vgg16-bn",
        "googlenet", "digit-cnn",
    ])
    func anySize(_ name: String) throws {
        try withNoLeaks { () throws in
            let smallest = ["lenet5": 12, "resnet8": 4, "resnet8x4": 4, "wrn-16-1": 4][name] ?? 8
            let width = name == "lenet5" ? nil : 0.1
            let shapes = [[1, smallest, smallest], [2, smallest + 9, smallest + 2], [5, 70, 66]]
            for shape in shapes {
                let network = try make(ModelSpec(name: name, width: width), shape, classes: 3)
                let x = values(inputStream, [2] + shape)
                let y = network(x, mode: .train(Generator(seed: 1)))
                #expect(y.shape == [2, 3])
                y.squared().sum().backward()
                #expect(y.floats().allSatisfy { $0.isFinite })
                #expect(network.features(x, mode: .eval).shape == [2, network.head.inputs])
            }
            #expect(throws: Problem.self) {
                try make(ModelSpec(name: name), [3, smallest - 1, 40])
            }
        }
    }

    @Test func widthsScale() throws {
        try withNoLeaks { () throws in
            let half = try make(ModelSpec(name: "resnet20", width: 0.5))
            #expect(half.head.inputs == 32)
            #expect(try make(ModelSpec(name: "vgg8", width: 0.25)).head.inputs == 128)
            #expect(try make(ModelSpec(name: "resnet18", width: 2)).head.inputs == 1024)
            // 1280 is the least that MobileNetV2's last layer has.
            #expect(try make(ModelSpec(name: "mobilenetv2", width: 0.5)).head.inputs == 1280)
            #expect(try make(ModelSpec(name: "mobilenetv2", width: 1.4)).head.inputs == 1792)
            // 24 · 0.35 = 8.4 rounds to 8, 32 · 0.35 = 11.2 to 16, because 8 is below nine tenths of it.
            let narrow = try make(ModelSpec(name: "mobilenetv2", width: 0.35), classes: 1000)
            #expect(narrow.parameterCount == 1_677_128)
            #expect(try make(ModelSpec(name: "wrn-10-3")).head.inputs == 192)
            // The teacher and the student of the distillation without data on digits.
            let digits = [1, 8, 8]
            #expect(try make(ModelSpec(name: "wrn-10-1"), digits).parameterCount == 77_562)
            #expect(
                try make(ModelSpec(name: "wrn-10-1", width: 0.5), digits).parameterCount == 19_714)
            #expect(try make(ModelSpec(name: "vgg16-bn", width: 0.125)).head.inputs == 512)
            #expect(try make(ModelSpec(name: "googlenet", width: 0.25)).head.inputs == 256)
            #expect(try make(ModelSpec(name: "charcnn", width: 0.25)).head.inputs == 64)
            // The table of 1001 rows of 16, and the hidden layer of 10 stays.
            let small = try make(ModelSpec(name: "fasttext", width: 0.5, buckets: 1000))
            #expect(small.parameterCount == 1001 * 16 + 170 + 110)
        }
    }

    @Test func sentences() throws {
        try withNoLeaks { () throws in
            func sentence(
                _ spec: ModelSpec, _ shape: [Int] = [3, 32, 32], classes: Int = 10
            ) -> String {
                do {
                    try ModelRegistry.check(spec, sampleShape: shape, classes: classes)
                    return "no error"
                } catch { return error.description }
            }
            #expect(sentence(ModelSpec(name: "resnet20")) == "no error")
            #expect(
                sentence(ModelSpec(name: "ResNet-20"))
                    == "model.name: unknown model: found \"ResNet-20\" (did you mean \"resnet20\"?)"
            )
            // More names than a line holds.
            let unknown = sentence(ModelSpec(name: "transformer"))
            #expect(unknown.contains("(one of: mlp, residual-mlp, lenet5, "))
            #expect(unknown.hasSuffix(", … (\(ModelRegistry.names.count) in all))"))
            #expect(
                sentence(ModelSpec(name: "wrn-17-2"))
                    == "model.name: no such WideResNet: found \"wrn-17-2\", expected wrn-d-k with a "
                    + "depth d = 6n + 4 from 10 to 100 and a factor k from 1 to 20")
            #expect(
                sentence(ModelSpec(name: "vgg8", hidden: [3]))
                    == "model.hidden: the model vgg8 has no such option (it has: width)")
            #expect(
                sentence(ModelSpec(name: "lenet5", dropout: 0.1))
                    == "model.dropout: the model lenet5 has no such option (it has no options)")
            #expect(
                sentence(ModelSpec(name: "vgg8", width: 9))
                    == "model.width: out of range: found 9.0, expected a number from 0.05 to 4")
            #expect(
                sentence(ModelSpec(name: "mlp", dropout: 1))
                    == "model.dropout: out of range: found 1.0, expected a probability of at least "
                    + "0 and below 1")
            #expect(
                sentence(ModelSpec(name: "mlp", dropout: .nan)).hasPrefix("model.dropout: out of"))
            #expect(
                sentence(ModelSpec(name: "mlp", hidden: [5, 0]))
                    == "model.hidden: out of range: found [5, 0], expected at most 64 sizes from 1 "
                    + "to 65536")
            for hidden in [[], [5, 5]] {
                #expect(
                    sentence(ModelSpec(name: "residual-mlp", hidden: hidden))
                        == "model.hidden: out of range: found \(hidden), expected one size, that of "
                        + "the layer inside")
            }
            #expect(
                sentence(ModelSpec(name: "residual-mlp"), [65_536]).hasPrefix(
                    "model.hidden: the network is too large: found 3.4"))
            #expect(
                sentence(ModelSpec(name: "mlp", hidden: [65536, 65536]))
                    == "model.hidden: the network is too large: found 4.5e+09 weights, expected "
                    + "fewer than 1.07e+09 (make the hidden layers smaller)")
            #expect(
                sentence(ModelSpec(name: "vgg8"), [3, 7, 9])
                    == "model.name: the images are too small for the model vgg8: found 7x9 pixels, "
                    + "expected at least 8x8")
            #expect(
                sentence(ModelSpec(name: "vgg8"), [20])
                    == "model.name: the model vgg8 needs images: found samples of shape [20], "
                    + "expected [channels, height, width] (mlp takes samples of any shape)")
            #expect(
                sentence(ModelSpec(name: "mlp"), [.max, .max])
                    == "samples of an unusable shape: found [9223372036854775807, "
                    + "9223372036854775807], expected sizes from 1 to 65536 and at most 268435456 "
                    + "values per sample")
            #expect(
                sentence(ModelSpec(name: "mlp"), classes: 1)
                    == "a classifier cannot be made for this number of classes: found 1, expected "
                    + "2 to 100000")
            #expect(
                sentence(ModelSpec(name: "charcnn"), [20])
                    == "model.name: the model charcnn needs text: found samples of shape [20], "
                    + "expected data of kind text")
            #expect(
                sentence(ModelSpec(name: "fasttext")).hasPrefix(
                    "model.name: the model fasttext needs text: found samples of shape [3, 32, 32]")
            )
            for name in ["mlp", "lenet5", "resnet20", "googlenet"] {
                #expect(
                    sentence(ModelSpec(name: name), [1, 300])
                        == "model.name: the model \(name) does not take text: found samples of shape "
                        + "[1, 300] (fasttext and charcnn do)")
            }
            #expect(sentence(ModelSpec(name: "charcnn"), [1, 123]) == "no error")
            #expect(
                sentence(ModelSpec(name: "charcnn"), [1, 122])
                    == "model.name: the texts are cut too short for the model charcnn: found 122 "
                    + "characters, expected at least 123 (make data.length larger)")
            #expect(sentence(ModelSpec(name: "charcnn", length: 200), [1, 200]) == "no error")
            #expect(
                sentence(ModelSpec(name: "charcnn", length: 201), [1, 200])
                    == "model.length: out of range: found 201, expected 123 to the 200 characters of "
                    + "a text")
            #expect(
                sentence(ModelSpec(name: "fasttext", buckets: 0), [1, 20])
                    == "model.buckets: out of range: found 0, expected 1 to 16777216")
            #expect(
                sentence(ModelSpec(name: "fasttext", width: 4, buckets: 1 << 24), [1, 20])
                    == "model.buckets: the network is too large: found 2.15e+09 weights, expected "
                    + "fewer than 1.07e+09")
            for name in ["wrn-016-2", "wrn-+16-2", "wrn-16", "wrn-16-2-1", "resnet21", ""] {
                #expect(sentence(ModelSpec(name: name)) != "no error", "\(name)")
            }
        }
    }
}
