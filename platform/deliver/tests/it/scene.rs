//! An approved dataset, its payload, and the keys: ready to hand over.

use std::{path::PathBuf, sync::Arc};

use kiban_deliver::{
    DeliverError, Delivered, Delivery, Licence, Packages, Payload, PayloadFile, recipient,
};
use kiban_govern::{Act, Employer, Role, delivery::Route};
use kiban_kernel::{Date, Id, NoSteps, Product, Steps, Timestamp, kinds};
use kiban_release::{Approved, Context, Releasable, manifest::payload_digest};
use kiban_testkit::id;

use crate::house::{House, approver, may, producer, specification, staff, user};

pub(crate) const DATASET: u64 = 9;

pub(crate) fn dataset() -> Id<kinds::Dataset> {
    id(DATASET)
}

pub(crate) fn payload(product: Product, rows: &str) -> Payload {
    let file = |path: &str, text: &str| PayloadFile { path: path.into(), bytes: text.into() };
    let files = vec![
        file("data/person.csv", &format!("id,sex\n{rows}")),
        file("data/person.parquet", "PAR1"),
        file("dictionary.csv", "表,列,型\nperson,id,utf8\nperson,sex,utf8\n"),
        file("changes.csv", "規則\n"),
        file("risk.json", "{}\n"),
    ];
    let use_until = Date::constant(2028, 3, 31);
    Payload::assemble(files, &Licence { product, contract: "契約", conditions: &[], use_until })
        .unwrap()
}

pub(crate) struct Scene {
    pub(crate) house: House,
    pub(crate) root: PathBuf,
    pub(crate) payload: Payload,
}

impl Scene {
    pub(crate) async fn sqlite(product: Product) -> Self {
        let house = House::open(kiban_testkit::TestDb::sqlite().await).await;
        let root = house.folder();
        Self::prepare(house, root, product).await
    }

    /// Everything up to the second approval, and both keys registered.
    pub(crate) async fn prepare(house: House, root: PathBuf, product: Product) -> Self {
        let scene = Self { house, root, payload: payload(product, "A,女\n") };
        let a = scene.house.accepted(product).await;
        scene.house.contract(a, specification()).await;
        scene.record(a, dataset(), product).await;
        let packages = scene.packages(Arc::new(NoSteps));
        let permit = may(&staff(13, Role::Registrar), Act::RegisterOrganization);
        for (org, dir) in [(user(), scene.user_dir()), (producer(), scene.root.join("keys"))] {
            let public = recipient::init(&dir, org, scene.house.key.verify_key()).unwrap();
            let _ = packages.register_key(&scene.house.log, &permit, org, &public).await.unwrap();
        }
        scene
    }

    pub(crate) async fn record(
        &self,
        a: Id<kinds::Application>,
        dataset: Id<kinds::Dataset>,
        product: Product,
    ) {
        let mut manifest = self.house.manifest(a, dataset, product, vec![]);
        manifest.files = self.payload.facts();
        manifest.payload = payload_digest(&manifest.files);
        assert_eq!(manifest.payload, self.payload.digest());
        self.house.record(&manifest, &[]).await;
        for account in [31, 32] {
            let h = &self.house;
            let _ = kiban_release::approve(&h.log, &approver(account), dataset, &h.context())
                .await
                .unwrap();
        }
    }

    pub(crate) fn user_dir(&self) -> PathBuf {
        self.root.join("recipients").join(user().to_string())
    }
    pub(crate) fn user_key(&self) -> PathBuf {
        self.user_dir().join(recipient::KEY_FILE)
    }
    pub(crate) fn environment_key(&self) -> PathBuf {
        self.root.join("keys").join(recipient::KEY_FILE)
    }
    pub(crate) fn packages(&self, steps: Arc<dyn Steps>) -> Packages {
        Packages::open(&self.root, steps).unwrap()
    }
    pub(crate) fn package(&self) -> PathBuf {
        self.root.join("packages").join(dataset().to_string()).join("package.age")
    }
    pub(crate) fn context(&self, route: Route) -> Context<'_> {
        Context { route, ..self.house.context() }
    }

    pub(crate) async fn approved<D: Releasable>(
        &self,
        dataset: Id<kinds::Dataset>,
        route: Route,
    ) -> Approved<D> {
        let mut conn = self.house.db.pool().acquire().await.unwrap();
        let at: Timestamp = "2026-04-01T01:00:00Z".parse().unwrap();
        kiban_release::approved(&mut conn, dataset, &self.context(route), at).await.unwrap()
    }

    pub(crate) async fn deliver_as<D: Releasable>(
        &self,
        steps: Arc<dyn Steps>,
        route: Route,
    ) -> Result<Delivered, DeliverError> {
        let approved = self.approved::<D>(dataset(), route).await;
        self.hand_over(steps, &approved, &self.context(route), &self.payload).await
    }

    pub(crate) async fn hand_over<D: Releasable>(
        &self,
        steps: Arc<dyn Steps>,
        approved: &Approved<D>,
        context: &Context<'_>,
        payload: &Payload,
    ) -> Result<Delivered, DeliverError> {
        let mut officer = staff(15, Role::DeliveryOfficer);
        officer.employer = Employer::Trustee;
        let permit = may(&officer, Act::DeliverDataset);
        let what = Delivery { approved, context, payload, key: &self.house.key };
        self.packages(steps).deliver(&self.house.log, &permit, &what).await
    }
}
