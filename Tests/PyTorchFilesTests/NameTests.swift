import Diagnostics
import SafeTensors
import Testing

@testable import PyTorchFiles

@Suite struct NameTests {
    private func map(_ from: String, _ to: String) throws -> NameMap {
        try NameMap(name: "m.yaml", rules: [.init(from, to)])
    }

    private func file(_ tensors: [(String, [Int])]) throws -> StateFile {
        var writer = SafeTensorsWriter()
        for (name, shape) in tensors {
            let count = shape.reduce(1, *)
            writer.add(name, floats: (0..<count).map { Float($0) }, shape: shape)
        }
        return try StateFile(bytes: writer.encoded(), name: "x.safetensors")
    }

    @Test func stars() throws {
        #expect(try map("linear.*", "fc.*")("linear.bias") == "fc.bias")
        #expect(try map("linear.*", "fc.*")("linear.a.bias") == "linear.a.bias")
        #expect(
            try map("**.shortcut.*.*", "**.downsample.*.*")("layer2.0.shortcut.1.bias")
                == "layer2.0.downsample.1.bias")
        #expect(try map("a.**", "b.**")("a") == "a")
        #expect(try map("a.**.z", "b.**.y")("a.1.2.z") == "b.1.2.y")
        #expect(try map("layer*.x*y", "block*.z*")("layer3.x12y") == "block3.z12")
        #expect(try map("layer*.w", "block*.w")("layer.w") == "layer.w")
        #expect(try map("**", "net.**")("a.b") == "net.a.b")
        #expect(try map("head.**", "")("head.weight") == nil)
        // The first rule that fits decides.
        let two = try NameMap(name: "m", rules: [.init("a.*", "b.*"), .init("**", "c.**")])
        #expect(two("a.x") == "b.x" && two("a.x.y") == "c.a.x.y")
    }

    @Test(arguments: [
        ("**.**", "**.**", #""**.**": ** comes twice"#),
        ("a*b*", "c*d*", #""a*b*": two stars between two full stops"#),
        ("a.*", "b", #""a.*": the stars of from and to differ"#),
        ("a.*", "b.**", #""a.*": the stars of from and to differ"#),
        ("", "b", #""": an empty pattern, or more than 1024 bytes"#),
    ])
    func senselessRules(_ from: String, _ to: String, _ fault: String) {
        do throws(Problem) {
            _ = try NameMap(name: "m.yaml", rules: [.init("x", "y"), .init(from, to)])
            Issue.record("accepted")
        } catch {
            #expect(error.description == "m.yaml, rule 2: rule makes no sense: found \(fault)")
        }
    }

    /// Blocks of 1, 1, 2, 1, 1 convolutions with pools behind the first three: numbers counted by
    /// hand (convolution, batch norm, ReLU; a pool takes one number).
    @Test func featuresOfVGG() throws {
        let blocks = ["block0.0", "block1.0", "block2.0", "block2.3", "block3.0", "block4.0"]
        let names = blocks.map { "\($0).weight" } + ["classifier.weight"]
        let map = try #require(NameMap.features(names, pooledBlocks: [0, 1, 2]))
        let numbers = [0, 4, 8, 11, 15, 18]
        for (block, number) in zip(blocks, numbers) {
            #expect(map("features.\(number).weight") == "\(block).weight")
        }
        #expect(map("features.9.running_mean") == "block2.1.running_mean")
        #expect(map("features.3.weight") == "features.3.weight")
        #expect(NameMap.features(["conv1.weight"], pooledBlocks: []) == nil)
    }

    @Test(arguments: [
        ("conv1.0.weight", "conv1.weight"), ("conv1.1.running_var", "bn1.running_var"),
        ("conv2_x.0.residual_function.0.weight", "layer1.0.conv1.weight"),
        ("conv3_x.1.residual_function.1.bias", "layer2.1.bn1.bias"),
        ("conv4_x.0.residual_function.3.weight", "layer3.0.conv2.weight"),
        ("conv5_x.12.residual_function.4.weight", "layer4.12.bn2.weight"),
        ("conv3_x.0.shortcut.0.weight", "layer2.0.downsample.0.weight"),
        ("conv5_x.0.shortcut.1.running_mean", "layer4.0.downsample.1.running_mean"),
        ("fc.weight", "fc.weight"),
        // A third convolution is a bottleneck: no network of ours.
        ("conv2_x.0.residual_function.6.weight", "conv2_x.0.residual_function.6.weight"),
        ("conv6_x.0.residual_function.0.weight", "conv6_x.0.residual_function.0.weight"),
    ])
    func residualFunctions(_ from: String, _ to: String) {
        #expect(NameMap.residualFunction(from) == to)
    }

    @Test func theReport() throws {
        let source = try file([
            ("module.conv1.weight", [2, 1, 3, 3]), ("module.linear.weight", [3, 2]),
            ("module.linear.bias", [4]), ("module.extra", [1]),
            ("module.bn1.num_batches_tracked", []), ("module.layer1.shortcut.0.weight", [2]),
        ])
        let wanted: [NameMatch.Wanted] = [
            .init("conv1.weight", [2, 1, 3, 3]), .init("fc.weight", [3, 2]), .init("fc.bias", [3]),
            .init("layer1.downsample.0.weight", [2]), .init("bn1.weight", [2]),
            .init("bn2.num_batches_tracked", [], isFloatingPoint: false),
        ]
        let match = try NameMatch.best(source, wanted, among: [.same, .linearShortcut])
        #expect(match.map == "linear-shortcut" && match.prefix == "module.")
        #expect(
            Set(match.matched.map(\.to)) == [
                "conv1.weight", "fc.weight", "layer1.downsample.0.weight",
            ])
        #expect(match.missing == ["bn1.weight"])
        #expect(match.unexpected == ["module.extra"])
        #expect(
            match.mismatched == [
                .init(from: "module.linear.bias", to: "fc.bias", found: "[4]", expected: "[3]")
            ])
        #expect(
            Set(match.counters) == [
                "module.bn1.num_batches_tracked", "bn2.num_batches_tracked",
            ])
        #expect(match.differences == 3)
        let renamed = try source.renamed(match)
        #expect(renamed.tensors.count == 3)
        #expect(try renamed.floats(of: "fc.weight") == [0, 1, 2, 3, 4, 5])
    }

    @Test func kindsAndClashes() throws {
        let source = try file([("linear.weight", [2]), ("fc.weight", [2])])
        let wanted = [NameMatch.Wanted("fc.weight", [2])]
        do throws(Problem) {
            _ = try NameMatch.best(source, wanted, among: [.linearShortcut])
            Issue.record("accepted")
        } catch {
            #expect(
                error.description
                    == #"x.safetensors: two tensors would get one name: found "fc.weight" and "linear.weight", expected one for "fc.weight""#
            )
        }
        let whole = [NameMatch.Wanted("fc.weight", [2], isFloatingPoint: false)]
        let match = try NameMatch.best(
            try file([("fc.weight", [2])]), whole, among: [.same])
        #expect(match.mismatched.first?.expected == "whole numbers")
    }

    // MARK: Prefixes

    @Test(arguments: [
        "", "module.", "_orig_mod.", "module.student.", "student.", "net.", "backbone.",
        "_orig_mod.module.", "a.b.c.", "fc.",
    ])
    func commonPrefixesComeOff(_ prefix: String) throws {
        let wanted = [NameMatch.Wanted("conv1.weight", [2]), .init("fc.weight", [3])]
        let source = try file([(prefix + "conv1.weight", [2]), (prefix + "linear.weight", [3])])
        let match = try NameMatch.best(source, wanted, among: [.same, .linearShortcut])
        #expect(match.prefix == prefix && match.differences == 0)
        #expect(
            try source.renamed(match).tensors.map(\.name).sorted() == ["conv1.weight", "fc.weight"])
    }

    /// What all names of a network share is not taken off where the network has it too.
    @Test func ownPrefixesStay() throws {
        let wanted = [NameMatch.Wanted("fc.weight", [2, 3]), .init("fc.bias", [2])]
        let source = try file([("fc.weight", [2, 3]), ("fc.bias", [2])])
        let match = try NameMatch.best(source, wanted, among: [.same])
        #expect(match.prefix == "" && match.differences == 0)
    }

    /// A user's map may be written for the names that are printed, or for those without the prefix.
    @Test(arguments: [
        ("module.student.**", "**", ""), ("student.**", "**", "module."),
        ("module.**", "**", ""), ("**.weight", "**.weight", "module.student."),
    ])
    func mapsForEitherNames(_ from: String, _ to: String, _ prefix: String) throws {
        let wanted = [NameMatch.Wanted("a.weight", [2]), .init("b.weight", [3])]
        let source = try file([
            ("module.student.a.weight", [2]), ("module.student.b.weight", [3]),
        ])
        let match = try NameMatch.best(
            source, wanted, among: [try map(from, to)], isUsers: true)
        if from == "module.**" {
            // The rule fits, so that nothing is taken off behind the user's back.
            #expect(match.differences == 4 && match.prefix == "")
        } else {
            #expect(match.differences == 0 && match.prefix == prefix && match.ruled == 2)
        }
    }

    /// Rules that exchange two tensors of one shape are obeyed, though the names would fit without.
    @Test func aUsersRulesAreNotPassedBy() throws {
        let wanted = [NameMatch.Wanted("a.w", [2]), .init("b.w", [2])]
        let source = try file([("module.a.w", [2]), ("module.b.w", [2])])
        let swap = try NameMap(
            name: "m", rules: [.init("module.a.w", "b.w"), .init("module.b.w", "a.w")])
        let match = try NameMatch.best(source, wanted, among: [swap], isUsers: true)
        #expect(match.matched.first == .init(from: "module.a.w", to: "b.w"))
    }

    @Test func workIsBounded() throws {
        let source = try file((0..<2001).map { ("w\($0)", [1]) })
        let rules = (0..<10_000).map { NameMap.Rule("a\($0).**", "b.**") }
        do throws(Problem) {
            _ = try NameMatch.best(
                source, [], among: [NameMap(name: "m.yaml", rules: rules)], isUsers: true)
            Issue.record("accepted")
        } catch {
            #expect(
                error.description == "m.yaml: too many rules in the name map: expected at most 9995"
            )
        }
    }

    /// Rules are tried once for each prefix that could come off.
    @Test func workWithPrefixesIsBounded() throws {
        let source = try file((0..<300).map { ("a.b.c.d.e.f.g.h.w\($0)", [1]) })
        let rules = (0..<7408).map { NameMap.Rule("a\($0)", "b") }
        #expect {
            try NameMatch.best(
                source, [], among: [NameMap(name: "m.yaml", rules: rules)], isUsers: true)
        } throws: {
            "\($0)" == "m.yaml: too many rules in the name map: expected at most 7407"
        }
        // A map of ours is passed by: no network that it is for has so many tensors.
        let match = try NameMatch.best(
            source, [], among: [.same, NameMap(name: "large", rules: rules)])
        #expect(match.map == "same")
    }

    /// A counter beside the network that the map drops does not keep its prefix from coming off.
    @Test func droppedNamesHaveNoPrefix() throws {
        let wanted = [NameMatch.Wanted("a.w", [2])]
        let source = try file([("n_averaged", []), ("module.a.w", [2])])
        let match = try NameMatch.best(
            source, wanted, among: [try map("n_averaged", "")], isUsers: true)
        #expect(match.differences == 0 && match.prefix == "module." && match.dropped.count == 1)
    }
}
