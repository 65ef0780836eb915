import Files
import Foundation
import SafeTensors
import TestSupport
import Testing

/// `import` on a tiny digit-cnn that PyTorch saved inside `{"net": …, "acc": 97.5}`.
@Suite(.serialized, .takesTurns) struct ImportTests {
    private static let fixture =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("PyTorchFilesTests/Fixtures/digit.pth").path
    private static let network = [
        "--model", "digit-cnn", "--width", "0.05", "--sample-shape", "1,8,8", "--normalisation",
        ".5/.25",
    ]

    @Test func importsAndPredicts() throws {
        let tool = try Tool()
        try tool.write("digit.pth", readFile(Self.fixture))
        let done = try tool.run(
            ["import", "digit.pth", "--classes", "a,b,c", "--out", "d.safetensors", "--json"]
                + Self.network)
        #expect(done.status == 0, "\(done.err)")
        let object = try done.object()
        #expect((object["matched"] as? [Any])?.count == 10)
        #expect(object["part"] as? String == "net")
        #expect(object["ignored"] as? [String] == ["acc"])
        #expect(object["out"] as? String == "d.safetensors")
        // Two images as IDX: magic 0x803, counts, bytes.
        let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 8]
        try tool.write("images", header + (0..<128).map { UInt8($0 * 2) })
        let predicted = try tool.run(["predict", "d.safetensors", "images"])
        #expect(predicted.status == 0, "\(predicted.err)")
        #expect(predicted.out.split(separator: "\n").count == 3)
    }

    @Test func listsWithoutANetwork() throws {
        let tool = try Tool()
        let listed = try tool.run(["import", Self.fixture, "--list", "--json"])
        #expect(listed.status == 0, "\(listed.err)")
        let object = try listed.object()
        #expect((object["tensors"] as? [[String: Any]])?.count == 10)
        #expect(object["form"] as? String == "PyTorch zip archive")
    }

    /// `--part` reaches what is no network, and a prefix comes off with a map for either names.
    @Test func partsAndPrefixes() throws {
        let tool = try Tool()
        let checkpoint = Self.fixture.replacing("digit.pth", with: "checkpoint.pth")
        let listed = try tool.run(
            ["import", checkpoint, "--list", "--json", "--part", "optimizer.state.0"])
        #expect(listed.status == 0, "\(listed.err)")
        #expect(try listed.object()["part"] as? String == "optimizer.state.0")
        var writer = SafeTensorsWriter()
        writer.add(
            "module.student.layers.0.weight", floats: (0..<12).map(Float.init), shape: [3, 4])
        writer.add("module.student.layers.0.bias", floats: [1, 2, 3], shape: [3])
        try tool.write("s.safetensors", writer.encoded())
        try tool.write("full.yaml", "names:\n  - {from: \"module.student.**\", to: \"**\"}\n")
        try tool.write("short.yaml", "names:\n  - {from: \"student.**\", to: \"**\"}\n")
        var written: [[UInt8]] = []
        for (map, prefix) in [
            ([], "module.student."), (["--map", "full.yaml"], ""),
            (["--map", "short.yaml"], "module."),
        ] {
            let done = try tool.run(
                [
                    "import", "s.safetensors", "--model", "mlp", "--hidden", "none", "--classes",
                    "3", "--sample-shape", "4", "--out", "o.safetensors", "--json",
                ] + map)
            #expect(done.status == 0, "\(done.err)")
            #expect(try done.object()["prefix"] as? String == prefix)
            written.append(try readFile(tool("o.safetensors")))
        }
        #expect(Set(written).count == 1)
    }

    @Test func mistakes() throws {
        let tool = try Tool()
        try tool.write("digit.pth", readFile(Self.fixture))
        try tool.write("map.yaml", "names:\n  - {from: \"fc_layers.*.*\", to: \"\"}\n")
        let start = ["import", "digit.pth", "--out", "d.safetensors"] + Self.network
        for (more, status, complaint) in [
            (
                ["--classes", "4"], 65,
                #"digit.pth, tensor "fc_layers.2.weight": a tensor does not fit the model digit-cnn: found [3, 13], expected [4, 13] (2 tensors do not fit)"#
            ),
            (
                ["--classes", "3", "--map", "map.yaml"], 65,
                "digit.pth: the names are not those of the model digit-cnn: found 4 missing (fc_layers.0.weight, …) (--list shows the file's names, --map renames them)"
            ),
            (
                ["--classes", "a,a"], 64,
                #"--classes: wrong value: found "a,a", expected a number, or different names with commas between"#
            ),
            (
                ["--classes", "3", "--map", "features"], 64,
                "--map: this name map is not for the model digit-cnn: found features"
            ),
        ] {
            let outcome = try tool.run(start + more)
            #expect(outcome.status == Int32(status))
            #expect(outcome.complaint == "limbeck: " + complaint)
            #expect(!FileManager.default.fileExists(atPath: tool("d.safetensors")))
        }
    }
}
