// swift-tools-version: 6.1
import Foundation
import PackageDescription

// `LIMBECK_ENGINE=none` leaves out every target that needs LibTorch, so that the
// engine-free half (files, data, label noise, reports) builds and tests on its own.
let withEngine = ProcessInfo.processInfo.environment["LIMBECK_ENGINE"] != "none"

// `LIMBECK_IMAGES=none` leaves out libjpeg and libpng: JPEG and PNG pictures are then refused.
let withImages = ProcessInfo.processInfo.environment["LIMBECK_IMAGES"] != "none"

let images: [Target] = [
    .systemLibrary(
        name: "CLibjpeg", pkgConfig: "libjpeg",
        providers: [
            .apt(["libjpeg-dev"]), .yum(["libjpeg-turbo-devel"]), .brew(["jpeg-turbo"]),
        ]),
    .systemLibrary(
        name: "CLibpng", pkgConfig: "libpng",
        providers: [.apt(["libpng-dev"]), .yum(["libpng-devel"]), .brew(["libpng"])]),
    .target(name: "CPictures", dependencies: ["CLibjpeg", "CLibpng"]),
]

let pure: [Target] = [
    .target(name: "Diagnostics"),
    .target(name: "Randomness"),
    .target(name: "Workers"),
    // Hashes; on Apple's systems CryptoKit does.
    .systemLibrary(
        name: "CLibcrypto", pkgConfig: "libcrypto",
        providers: [.apt(["libssl-dev"]), .yum(["openssl-devel"])]),
    .target(
        name: "Files",
        dependencies: [
            "Diagnostics", .target(name: "CLibcrypto", condition: .when(platforms: [.linux])),
        ]),
    .target(name: "SafeTensors", dependencies: ["Diagnostics", "Files"]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
        name: "PyTorchFiles", dependencies: ["SafeTensors", "Files", "Diagnostics", "CZlib"]),
    // Files of pictures as pixels.
    .target(
        name: "Pictures",
        dependencies: ["Diagnostics", "Files"] + (withImages ? ["CPictures"] : []),
        swiftSettings: withImages ? [.define("LIMBECK_IMAGES")] : []),
    .target(
        name: "Datasets",
        dependencies: ["Pictures", "Workers", "Diagnostics", "Files", "Randomness", "CZlib"],
        resources: [.copy("Resources/fashion-mnist-5k")]),
    .target(
        name: "Report",
        dependencies: [
            "Diagnostics", "Files", "CZlib",
            .product(name: "Mustache", package: "swift-mustache"),
        ],
        resources: [.copy("Resources/templates")]),
    .target(name: "Replica", dependencies: ["Diagnostics", "Randomness", "Workers"]),
    // What leaves Limbeck for other programs.
    .target(name: "Protobuf"),
    .target(name: "ONNX", dependencies: ["Protobuf", "Diagnostics", "Files"]),
    .target(name: "EventFiles", dependencies: ["Protobuf", "Diagnostics", "Files"]),
    // Which labels are wrong.
    .target(
        name: "Audit",
        dependencies: ["Datasets", "SafeTensors", "Files", "Randomness", "Workers", "Diagnostics"]),
    // What an audit found out, for a terminal, a page and JSON.
    .target(
        name: "AuditReports",
        dependencies: ["Audit", "Report", "Datasets", "Files", "Diagnostics"]),
    // `Benchmarks/run-audit` measures confident learning with it, beside cleanlab.
    .executableTarget(
        name: "limbeck-audit-bench",
        dependencies: [
            "Audit", "Datasets", "Diagnostics",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ], path: "Benchmarks/Sources/limbeck-audit-bench"),
    .testTarget(
        name: "DiagnosticsTests", dependencies: ["Diagnostics", "Randomness", "Files"],
        exclude: ["golden_draws.py"]),
    .testTarget(
        name: "SafeTensorsTests",
        dependencies: ["SafeTensors", "Diagnostics", "Files", "Randomness"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "PyTorchFilesTests",
        dependencies: ["PyTorchFiles", "SafeTensors", "Diagnostics", "Files", "Randomness"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "DatasetsTests",
        dependencies: ["Datasets", "Pictures", "Files", "Randomness", "Diagnostics"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "PicturesTests", dependencies: ["Pictures", "Diagnostics", "Files"],
        exclude: ["pictures.py"], resources: [.copy("Fixtures")]),
    .testTarget(name: "ReportTests", dependencies: ["Report", "CZlib"]),
    .testTarget(
        name: "ReplicaTests", dependencies: ["Replica", "Randomness", "Workers", "Diagnostics"]),
    .testTarget(
        name: "ONNXTests", dependencies: ["ONNX", "Protobuf", "Diagnostics", "Files"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "EventFilesTests", dependencies: ["EventFiles", "Diagnostics", "Files"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "AuditTests",
        dependencies: [
            "Audit", "Datasets", "SafeTensors", "Files", "Randomness", "Diagnostics",
        ], exclude: ["vectors.py"], resources: [.copy("Fixtures")]),
    .testTarget(
        name: "AuditReportsTests",
        dependencies: ["AuditReports", "Audit", "Report", "Datasets", "Files", "Diagnostics"]),
]

let engine: [Target] = [
    .systemLibrary(name: "CLibTorch", pkgConfig: "libtorch"),
    .target(name: "CTorch", dependencies: ["CLibTorch"]),
    .target(name: "Torch", dependencies: ["CTorch", "Diagnostics"]),
    .target(name: "Neural", dependencies: ["Torch", "Randomness", "Diagnostics"]),
    .target(
        name: "Models",
        dependencies: ["Neural", "Torch", "SafeTensors", "Files", "Randomness", "Diagnostics"]),
    .target(
        name: "Distillation",
        dependencies: ["Neural", "Models", "Replica", "Torch", "Randomness", "Diagnostics"]),
    .target(
        name: "LabelText",
        dependencies: [
            "Torch", "SafeTensors", "Datasets", "Files", "Randomness", "Diagnostics",
        ], resources: [.copy("Resources/tables")]),
    .target(
        name: "Training",
        dependencies: [
            "Distillation", "LabelText", "Models", "Neural", "Torch", "Report", "Datasets",
            "SafeTensors", "Files", "Randomness", "Diagnostics",
            .product(name: "Yams", package: "Yams"),
        ]),
    .target(
        name: "Experiments",
        dependencies: [
            "Training", "Report", "Distillation", "Replica", "Torch", "Datasets", "SafeTensors",
            "Files", "Randomness", "Workers", "Diagnostics",
        ]),
    // Audits labels with networks of its own.
    .target(
        name: "AuditRuns",
        dependencies: [
            "Audit", "Training", "Datasets", "SafeTensors", "Files", "Randomness", "Diagnostics",
        ]),
    // What a Swift program imports.
    .target(
        name: "Limbeck",
        dependencies: [
            "Training", "RunReports", "Report", "Distillation", "Models", "Neural", "Torch",
            "Datasets", "SafeTensors", "Files", "Randomness", "Diagnostics",
        ]),
    // Sees of this package what a Swift program sees.
    .testTarget(name: "OutsideTests", dependencies: ["Limbeck"]),
    .target(
        name: "RunReports",
        dependencies: ["Training", "Report", "Datasets", "Files", "Diagnostics"]),
    // Trained networks and logs in the form of other programs.
    .target(
        name: "Exports",
        dependencies: [
            "ONNX", "EventFiles", "Training", "Models", "Neural", "Torch", "Report", "Datasets",
            "SafeTensors", "Files", "Randomness", "Diagnostics",
        ], resources: [.copy("Resources")]),
    // The program `limbeck`. A module of that name would collide with a library `Limbeck` on a file
    // system that ignores case.
    .executableTarget(
        name: "LimbeckProgram",
        dependencies: [
            "RunReports", "AuditRuns", "AuditReports", "Audit", "Exports", "Experiments",
            "Training", "Replica", "Report", "Datasets", "Models", "PyTorchFiles", "SafeTensors",
            "LabelText", "Files", "Workers", "Diagnostics",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
    .target(
        name: "FolderSupport", dependencies: ["Diagnostics", "Files"], path: "Tests/FolderSupport"),
    .target(
        name: "TestSupport", dependencies: ["Torch", "SafeTensors"], path: "Tests/Support"),
    // `make bench` measures a training step with it, beside PyTorch.
    .executableTarget(
        name: "limbeck-step",
        dependencies: [
            "Training", "Distillation", "Models", "Neural", "Torch", "Datasets", "Randomness",
            "Diagnostics", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ], path: "Benchmarks/Sources/limbeck-step"),
    // The same for a meta step of adaptive loss mixing.
    .executableTarget(
        name: "limbeck-meta",
        dependencies: [
            "Distillation", "Torch", "Training", "Diagnostics",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ], path: "Benchmarks/Sources/limbeck-meta"),
    .testTarget(
        name: "TorchTests", dependencies: ["Torch", "SafeTensors", "TestSupport"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "NeuralTests", dependencies: ["Neural", "SafeTensors", "TestSupport"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "ModelsTests", dependencies: ["Models", "SafeTensors", "TestSupport"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "LabelTextTests",
        dependencies: ["LabelText", "SafeTensors", "Files", "Diagnostics", "TestSupport"],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "DistillationTests",
        dependencies: [
            "Distillation", "Training", "Neural", "Models", "Randomness", "Replica", "SafeTensors",
            "TestSupport",
        ],
        resources: [.copy("Fixtures")]),
    .testTarget(
        name: "TrainingTests",
        dependencies: [
            "Training", "Report", "Datasets", "SafeTensors", "Files", "Randomness", "Diagnostics",
            "TestSupport", "FolderSupport",
        ], resources: [.copy("Fixtures")]),
    .testTarget(
        name: "ExperimentsTests",
        dependencies: [
            "Experiments", "Training", "Report", "Distillation", "Replica", "Torch", "Files",
            "Randomness", "Diagnostics", "TestSupport", "FolderSupport",
        ]),
    .testTarget(
        name: "AuditRunsTests",
        dependencies: [
            "AuditRuns", "Audit", "Training", "Datasets", "Files", "Randomness", "Diagnostics",
            "Torch", "TestSupport", "FolderSupport",
        ]),
    .testTarget(
        name: "RunReportsTests",
        dependencies: [
            "RunReports", "Training", "Distillation", "Report", "Files", "Diagnostics",
            "TestSupport",
        ]),
    .testTarget(
        name: "ExportsTests",
        dependencies: [
            "Exports", "ONNX", "EventFiles", "Training", "Models", "Neural", "Torch", "Datasets",
            "Report", "Files", "Randomness", "Diagnostics", "TestSupport",
        ]),
    .testTarget(
        name: "LimbeckTests",
        dependencies: [
            "LimbeckProgram", "Training", "Datasets", "SafeTensors", "Files", "Randomness",
            "TestSupport", "Diagnostics",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
]

let package = Package(
    name: "limbeck",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SafeTensors", targets: ["SafeTensors"]),
        .library(name: "Datasets", targets: ["Datasets"]),
        .library(name: "Report", targets: ["Report"]),
        .library(name: "Replica", targets: ["Replica"]),
    ]
        + (withEngine
            ? [
                .library(
                    name: "Limbeck",
                    targets: [
                        "Limbeck", "Torch", "Neural", "Models", "Distillation", "LabelText",
                        "Training", "Experiments", "RunReports", "Audit", "AuditReports",
                    ]),
                .executable(name: "limbeck", targets: ["LimbeckProgram"]),
            ] : []),
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    ],
    targets: (withImages ? images : []) + pure + (withEngine ? engine : []),
    cxxLanguageStandard: .cxx20
)
