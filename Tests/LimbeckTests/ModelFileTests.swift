import Files
import Foundation
import SafeTensors
import TestSupport
import Testing

/// Weights files that are something else, claim too much or hold no numbers: one line, exit code 65.
@Suite(.serialized, .takesTurns) struct ModelFileTests {
    private static let normalisation =
        #"{"mean": [0, 0, 0, 0], "std": [1, 1, 1, 1]}"#

    /// An MLP for four columns and three classes, with what it says of itself.
    private static func weights(
        model: String = #"{"name": "mlp", "hidden": [8]}"#, shape: String = "[4]",
        classes: String = #"["a", "b", "c"]"#, normalisation: String = normalisation,
        first: Float = 0.5
    ) throws -> [UInt8] {
        let card = """
            {"model": \(model), "sampleShape": \(shape), "classNames": \(classes), \
            "normalisation": \(normalisation)}
            """
        var writer = SafeTensorsWriter(metadata: ["limbeck": card])
        writer.add(
            "layers.0.weight", floats: [first] + Array(repeating: 0.1, count: 31), shape: [8, 4])
        writer.add("layers.0.bias", floats: Array(repeating: 0, count: 8), shape: [8])
        writer.add("layers.1.weight", floats: Array(repeating: 0.1, count: 24), shape: [3, 8])
        writer.add("layers.1.bias", floats: [0, 0, 0], shape: [3])
        return try writer.encoded()
    }

    @Test func cards() throws {
        let tool = try Tool()
        try tool.write("x.csv", "p,q,r,s,label\n1,2,3,4,a\n4,3,2,1,b\n0,0,1,1,c\n")
        let huge = Array(repeating: "4000", count: 64).joined(separator: ",")
        let thin = #"{"mean": [3e38, 3e38, 3e38, 3e38], "std": [1e-45, 1, 1, 1]}"#
        let cases: [(name: String, bytes: [UInt8], part: String)] = [
            (
                "hidden", try Self.weights(model: #"{"name": "mlp", "hidden": [\#(huge)]}"#),
                "the weights do not fit the network"
            ),
            (
                "text", try Self.weights(model: #"{"name": "fasttext"}"#, shape: "[1, 65536]"),
                "__metadata__: the description of the network makes no sense: found 4 means and stds, expected 1, one per channel or column"
            ),
            ("nan", try Self.weights(first: .nan), "element 0: a weight that is not finite"),
            ("infinite", try Self.weights(first: -.infinity), "a weight that is not finite"),
            (
                "std", try Self.weights(normalisation: thin),
                "std.safetensors, __metadata__: normalisation is not usable"
            ),
            (
                "mark",
                try Self.weights(
                    classes: "[\"a\", \"b\", \"c" + String(repeating: "\u{301}", count: 60) + "\"]"),
                "found a name of more than 30 combining marks in a row"
            ),
            ("model", try Self.weights(model: #"{"name": "mpl"}"#), "did you mean \"mlp\"?"),
            ("one", try Self.weights(classes: #"["a"]"#), "expected 2 to 100000"),
            ("json", try Self.weights(model: "1"), "the description of the network makes no sense"),
        ]
        for (name, bytes, part) in cases {
            try tool.write("\(name).safetensors", bytes)
            let done = try tool.run(["evaluate", "\(name).safetensors", "--table", "x.csv"])
            #expect(done.status == 65, "\(name): \(done.err)")
            #expect(done.complaint.hasPrefix("limbeck: \(name).safetensors, "))
            #expect(done.complaint.contains(part), "\(done.complaint)")
            #expect(done.seconds < 20)
        }
        try tool.write("good.safetensors", try Self.weights())
        let good = try tool.run(["evaluate", "good.safetensors", "--table", "x.csv"])
        #expect(good.status == 0, "\(good.err)")
    }

    /// Files of other kinds, wherever weights are read.
    @Test func otherKinds() throws {
        let tool = try Tool()
        let page =
            "limbeck: w.pth: not a safetensors file: found a web page (HTML) (download the file itself, not the page about it)"
        try tool.write(
            "r.yaml",
            """
            data: {kind: embedded, limit: 200}
            model: {name: mlp, hidden: [8]}
            method: {name: distillation, teacher: {file: w.pth, model: {name: mlp, hidden: [8]}}}
            training: {epochs: 1}
            """)
        for (bytes, complaint) in [
            (Array("<!DOCTYPE html>".utf8), page),
            (
                [],
                "limbeck: w.pth: not a safetensors file: found an empty file (was it copied or downloaded to the end?)"
            ),
        ] {
            try tool.write("w.pth", bytes)
            for arguments in [
                ["evaluate", "w.pth", "--table", "x.csv"], ["predict", "w.pth", "x.csv"],
                ["train", "r.yaml", "--out", "run\(bytes.count)"],
            ] {
                let done = try tool.run(arguments)
                #expect(
                    done.status == 65 && done.complaint == complaint, "\(arguments): \(done.err)")
            }
            let imported = try tool.run(["import", "w.pth", "--list"])
            #expect(imported.status == 65)
            #expect(
                imported.complaint
                    == complaint.replacing(
                        "not a safetensors file",
                        with: "neither safetensors nor a file that torch.save wrote"))
        }
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(
                "PyTorchFilesTests/Fixtures/digit.pth"
            ).path
        let done = try tool.run(["evaluate", fixture, "--table", "x.csv"])
        #expect(done.status == 65)
        #expect(
            done.complaint.hasSuffix(
                "not a safetensors file: found a file of PyTorch (convert it first: limbeck import FILE --list shows what is in it)"
            ))
    }
}
