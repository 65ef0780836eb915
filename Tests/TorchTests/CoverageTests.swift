import Foundation
import TestSupport
import Testing

/// An operator that is added without a test is noticed: every public function of the Torch target
/// is an operator of the fixture or stands in the list of what is tested by hand.
@Suite(.takesTurns) struct CoverageTests {
    /// By the file of this target that tests it.
    static let byHand: [String: Set<String>] = [
        "AutogradTests": [
            "backward", "clearGradient", "gradients", "withoutGradient", "detached", "dropout",
            "attached",
        ],
        "EngineTests": ["checked", "keepMemory", "setDeterministic", "withPrecision", "refused"],
        "TensorTests": [
            "full", "zeros", "ones", "empty", "scalar", "arange", "floats", "doubles", "ints",
            "bytes", "to", "cloned", "zerosLike", "contiguous", "channelsLast",
            "layOutChannelsLast", "move", "copy", "fill", "zero", "addInPlace", "multiplyInPlace",
            "choleskySolve", "shapeOnly", "singularValues",
        ],
        "SynthesisTests": ["windowed", "probedBatchNorm"],
        "GeneratorTests": ["fillNormal", "fillUniform", "fillBernoulli"],
        "RecorderTests": ["asOne", "record"],
        "RowsTests": ["read", "write", "add"],
        "UpdatesTests": ["sgd", "adam", "lerp", "clipNorm"],
    ]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()

    /// The names of the public functions in the sources of the Torch target.
    private static func publicFunctions() throws -> Set<String> {
        let folder = root.appending(path: "../../Sources/Torch").standardizedFileURL
        var names: Set<String> = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where file.hasSuffix(".swift") {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            let pattern = /public (?:static )?(?:prefix )?func `?([^\s`(<]+)/
            names.formUnion(text.matches(of: pattern).map { String($0.output.1) })
        }
        return names
    }

    @Test func everyPublicFunctionHasATest() throws {
        let operators = Set(OperatorTable.names.map { String($0.split(separator: ":")[0]) })
        let byHand = CoverageTests.byHand.values.reduce(into: Set()) { $0.formUnion($1) }
        let all = try CoverageTests.publicFunctions()
        #expect(all.count > 100)
        #expect(all.subtracting(operators).subtracting(byHand).sorted() == [])
        #expect(operators.union(byHand).subtracting(all).sorted() == [], "no longer there")
    }

    @Test func handWrittenTestsNameWhatTheyTest() throws {
        for (file, names) in CoverageTests.byHand {
            let text = try String(
                contentsOf: CoverageTests.root.appending(path: file + ".swift"), encoding: .utf8)
            for name in names {
                let isCalled = text.contains(name + "(") || text.contains(name + " {")
                #expect(isCalled, "\(file) does not call \(name)")
            }
        }
    }
}
